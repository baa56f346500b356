//! What differs between two texts, by lines.

use serde::{Deserialize, Serialize};

/// Products of line counts above this are not compared line by line: the whole middle counts as replaced.
const LIMIT: usize = 4_000_000;
/// Equal lines shown around a change.
const CONTEXT: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Both,
    Old,
    New,
    /// Equal lines that were left out.
    Gap,
}

/// A line and where it stands; the text of a gap is empty.
pub type DiffLine<'a> = (Side, &'a str);

/// The changes from `old` to `new` with a little of what is around them. Empty when they are equal.
pub fn diff_lines<'a>(old: &'a str, new: &'a str) -> Vec<DiffLine<'a>> {
    if old == new {
        return Vec::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let prefix = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let suffix = old[prefix..]
        .iter()
        .rev()
        .zip(new[prefix..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let mut lines: Vec<DiffLine<'a>> = old[..prefix]
        .iter()
        .map(|line| (Side::Both, *line))
        .collect();
    push_middle(
        &mut lines,
        &old[prefix..old.len() - suffix],
        &new[prefix..new.len() - suffix],
    );
    lines.extend(
        old[old.len() - suffix..]
            .iter()
            .map(|line| (Side::Both, *line)),
    );
    with_context(&lines)
}

/// The longest common subsequence, from a table of its lengths.
fn push_middle<'a>(lines: &mut Vec<DiffLine<'a>>, old: &[&'a str], new: &[&'a str]) {
    if old.len().saturating_mul(new.len()) > LIMIT {
        lines.extend(
            old.iter()
                .map(|line| (Side::Old, *line))
                .chain(new.iter().map(|line| (Side::New, *line))),
        );
        return;
    }
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((Side::Both, old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            lines.push((Side::Old, old[i]));
            i += 1;
        } else {
            lines.push((Side::New, new[j]));
            j += 1;
        }
    }
}

fn with_context<'a>(lines: &[DiffLine<'a>]) -> Vec<DiffLine<'a>> {
    let changed = |index: usize| {
        lines
            .get(index)
            .is_some_and(|(side, _)| *side != Side::Both)
    };
    let near = |index: usize| (index.saturating_sub(CONTEXT)..=index + CONTEXT).any(changed);
    let mut shown: Vec<DiffLine<'a>> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if near(index) {
            shown.push(*line);
        } else if shown.last().is_none_or(|(side, _)| *side != Side::Gap) {
            shown.push((Side::Gap, ""));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Side, diff_lines};

    fn told(old: &str, new: &str) -> String {
        let sign = |side| match side {
            Side::Both => ' ',
            Side::Old => '-',
            Side::New => '+',
            Side::Gap => '~',
        };
        diff_lines(old, new)
            .iter()
            .map(|(side, line)| format!("{}{line}", sign(*side)))
            .collect::<Vec<_>>()
            .join("|")
    }

    #[test]
    fn changes_come_with_the_lines_around_them() {
        assert_eq!(
            told("a\nb\nc\nd\ne\nf\ng", "a\nb\nc\nd\nX\nf\ng"),
            "~| c| d|-e|+X| f| g"
        );
        assert_eq!(told("a", "a\nb"), " a|+b");
        assert_eq!(told("a\nb\nc", "a\nc"), " a|-b| c");
        assert_eq!(told("1\nx\n2\ny", "x\ny"), "-1| x|-2| y");
    }

    #[test]
    fn equal_texts_do_not_differ() {
        assert_eq!(told("a\nb", "a\nb"), "");
    }

    #[test]
    fn very_long_texts_are_replaced_as_a_whole() {
        let old = "a\n".repeat(3_000) + "end";
        let new = "b\n".repeat(3_000) + "end";
        assert_eq!(
            diff_lines(&old, &new)
                .iter()
                .filter(|(side, _)| *side == Side::Old)
                .count(),
            3_000
        );
    }
}
