//! What differs between two texts, by lines.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Products of line counts above this are not compared line by line: the whole middle counts as replaced.
const LIMIT: usize = 4_000_000;
/// Equal lines shown around a change.
const CONTEXT: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Side {
    #[serde(rename = "context")]
    Both,
    #[serde(rename = "removed")]
    Old,
    #[serde(rename = "added")]
    New,
    /// Equal lines that were left out.
    #[serde(rename = "gap")]
    Gap,
}

/// A line and where it stands; the text of a gap is empty.
pub type DiffLine<'a> = (Side, &'a str);

/// Changes that stand together, with the equal lines around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hunk {
    /// First line in the old text, counted from 1.
    pub old_start: u32,
    pub old_lines: u32,
    /// First line in the new text, counted from 1.
    pub new_start: u32,
    pub new_lines: u32,
    pub lines: Vec<HunkLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HunkLine {
    pub side: Side,
    pub text: String,
}

/// The changes from `old` to `new` with a little of what is around them. Empty when they are equal.
pub fn diff_lines<'a>(old: &'a str, new: &'a str) -> Vec<DiffLine<'a>> {
    let lines = all_lines(old, new);
    let mut shown: Vec<DiffLine<'a>> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if is_near_change(&lines, index) {
            shown.push(*line);
        } else if shown.last().is_none_or(|(side, _)| *side != Side::Gap) {
            shown.push((Side::Gap, ""));
        }
    }
    shown
}

/// The same changes with the numbers of their lines.
pub fn diff_hunks(old: &str, new: &str) -> Vec<Hunk> {
    let lines = all_lines(old, new);
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut old_line, mut new_line, mut is_open) = (1, 1, false);
    for (index, (side, text)) in lines.iter().enumerate() {
        let (in_old, in_new) = (*side != Side::New, *side != Side::Old);
        let near = is_near_change(&lines, index);
        if near && !is_open {
            hunks.push(Hunk {
                old_start: old_line,
                old_lines: 0,
                new_start: new_line,
                new_lines: 0,
                lines: Vec::new(),
            });
        }
        is_open = near;
        if let Some(hunk) = hunks.last_mut().filter(|_| near) {
            hunk.old_lines += u32::from(in_old);
            hunk.new_lines += u32::from(in_new);
            hunk.lines.push(HunkLine {
                side: *side,
                text: (*text).to_owned(),
            });
        }
        old_line += u32::from(in_old);
        new_line += u32::from(in_new);
    }
    hunks
}

/// Every line of both texts. Empty when they are equal.
fn all_lines<'a>(old: &'a str, new: &'a str) -> Vec<DiffLine<'a>> {
    if old == new {
        return Vec::new();
    }
    // An empty text, as that of a file that is not there, has no line at all.
    let lines_of =
        |text: &'a str| -> Vec<&'a str> { text.split('\n').filter(|_| !text.is_empty()).collect() };
    let (old, new) = (lines_of(old), lines_of(new));
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
    lines
}

fn is_near_change(lines: &[DiffLine<'_>], index: usize) -> bool {
    (index.saturating_sub(CONTEXT)..=index + CONTEXT)
        .any(|near| lines.get(near).is_some_and(|(side, _)| *side != Side::Both))
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

#[cfg(test)]
mod tests {
    use super::{Side, diff_hunks, diff_lines};

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
    fn a_hunk_says_where_its_lines_stand() {
        let hunks = diff_hunks("a\nb\nc\nd\ne\nf\ng\nh", "a\nB\nc\nd\ne\nf\ng\nh\ni");
        let places: Vec<_> = hunks
            .iter()
            .map(|hunk| {
                (
                    hunk.old_start,
                    hunk.old_lines,
                    hunk.new_start,
                    hunk.new_lines,
                )
            })
            .collect();
        assert_eq!(places, [(1, 4, 1, 4), (7, 2, 7, 3)]);
        let last = &hunks[1].lines[2];
        assert_eq!((last.side, last.text.as_str()), (Side::New, "i"));
        assert!(diff_hunks("a\nb", "a\nb").is_empty());
        let added = diff_hunks("", "a");
        assert_eq!((added[0].old_lines, added[0].new_lines), (0, 1));
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
