//! What keys do to the text of an editor, as pure functions. Positions are UTF-16 code units, as the browser counts them.

use std::ops::Range;

/// One step of indentation.
const INDENT: &str = "    ";

/// A replacement and the selection after it. Going through the browser's own insertion, it stays one step of undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub replace: Range<u32>,
    pub with: String,
    pub selection: Range<u32>,
}

fn units(text: &str) -> u32 {
    text.encode_utf16().count() as u32
}

/// The byte at which the unit `at` stands; the end for a position beyond it or inside a surrogate pair.
fn byte_at(text: &str, at: u32) -> usize {
    let mut passed = 0;
    for (byte, character) in text.char_indices() {
        if passed >= at {
            return byte;
        }
        passed += character.len_utf16() as u32;
    }
    text.len()
}

/// Whole lines that a selection touches, as bytes. A selection that ends at the start of a line does not touch it.
fn touched_lines(text: &str, selection: &Range<u32>) -> Range<usize> {
    let (start, end) = (byte_at(text, selection.start), byte_at(text, selection.end));
    let last = if end > start && text[..end].ends_with('\n') {
        end - 1
    } else {
        end
    };
    let first_line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let last_line = text[last..].find('\n').map_or(text.len(), |at| last + at);
    first_line..last_line
}

/// Replaces the touched lines by what `change` makes of them, keeping the selection over the same text.
fn change_lines(
    text: &str,
    selection: &Range<u32>,
    change: impl Fn(&str) -> String,
) -> Option<Edit> {
    let lines = touched_lines(text, selection);
    let old = &text[lines.clone()];
    let with = old.split('\n').map(&change).collect::<Vec<_>>().join("\n");
    if with == old {
        return None;
    }
    let from = units(&text[..lines.start]);
    let first_old = old.split('\n').next().unwrap_or_default();
    let first_delta = i64::from(units(&change(first_old))) - i64::from(units(first_old));
    let all_delta = i64::from(units(&with)) - i64::from(units(old));
    let moved = |at: u32, delta: i64, floor: u32| {
        u32::try_from(i64::from(at) + delta).unwrap_or(0).max(floor)
    };
    let start = moved(selection.start, first_delta, from);
    let end = if selection.start == selection.end {
        start
    } else {
        moved(selection.end, all_delta, start)
    };
    Some(Edit {
        replace: from..from + units(old),
        with,
        selection: start..end,
    })
}

/// Tab: spaces up to the next step at the cursor, or every touched line one step in.
pub fn indent(text: &str, selection: Range<u32>) -> Option<Edit> {
    if text[byte_at(text, selection.start)..byte_at(text, selection.end)].contains('\n') {
        return change_lines(text, &selection, |line| {
            if line.trim().is_empty() {
                line.to_owned()
            } else {
                format!("{INDENT}{line}")
            }
        });
    }
    let start = byte_at(text, selection.start);
    let column = text[..start]
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count();
    let with = " ".repeat(INDENT.len() - column % INDENT.len());
    let end = selection.start + units(&with);
    Some(Edit {
        replace: selection,
        with,
        selection: end..end,
    })
}

/// Shift-Tab: every touched line one step out.
pub fn outdent(text: &str, selection: Range<u32>) -> Option<Edit> {
    change_lines(text, &selection, |line| {
        let spaces = line
            .bytes()
            .take(INDENT.len())
            .take_while(|byte| *byte == b' ')
            .count();
        line.strip_prefix('\t')
            .unwrap_or(&line[spaces..])
            .to_owned()
    })
}

/// Enter: the new line begins as deep as this one, deeper after a colon or an opening bracket, less deep after `return` and its like.
#[expect(
    clippy::unnecessary_wraps,
    reason = "keys are edits that may have nothing to do"
)]
pub fn new_line(text: &str, selection: Range<u32>) -> Option<Edit> {
    let (start, end) = (byte_at(text, selection.start), byte_at(text, selection.end));
    let before = text[..start].rsplit('\n').next().unwrap_or_default();
    let content = before.trim_start();
    let mut depth = before[..before.len() - content.len()].to_owned();
    let content = content.trim_end();
    let opens = content.ends_with([':', '(', '[', '{']);
    let leaves = ["return", "raise", "pass", "break", "continue"]
        .iter()
        .any(|word| {
            content
                .strip_prefix(word)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
    if opens {
        depth.push_str(INDENT);
    } else if leaves && !content.ends_with([',', '\\']) {
        depth.truncate(depth.len().saturating_sub(INDENT.len()));
    }
    // A closing bracket that follows goes onto a line of its own.
    let closes = content.ends_with(['(', '[', '{']) && text[end..].starts_with([')', ']', '}']);
    let tail = if closes {
        format!("\n{}", &depth[..depth.len().saturating_sub(INDENT.len())])
    } else {
        String::new()
    };
    let cursor = selection.start + 1 + units(&depth);
    Some(Edit {
        replace: selection,
        with: format!("\n{depth}{tail}"),
        selection: cursor..cursor,
    })
}

/// Ctrl /: comments the touched lines out, or in again when all of them are comments.
pub fn toggle_comment(text: &str, selection: Range<u32>) -> Option<Edit> {
    let lines = &text[touched_lines(text, &selection)];
    let filled = || lines.split('\n').filter(|line| !line.trim().is_empty());
    if filled().next().is_some() && filled().all(|line| line.trim_start().starts_with('#')) {
        return change_lines(text, &selection, |line| {
            let (space, comment) = line.split_once('#').unwrap_or((line, ""));
            format!("{space}{}", comment.strip_prefix(' ').unwrap_or(comment))
        });
    }
    let depth = filled()
        .map(|line| line.len() - line.trim_start().len())
        .min()?;
    change_lines(text, &selection, |line| {
        if line.trim().is_empty() {
            line.to_owned()
        } else {
            format!("{}# {}", &line[..depth], &line[depth..])
        }
    })
}

/// A bracket or quote comes with its other half, or goes around the selection; typed before its own closing half it steps over it.
pub fn pair(text: &str, selection: Range<u32>, typed: char) -> Option<Edit> {
    let close = match typed {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        '"' | '\'' | ')' | ']' | '}' => typed,
        _ => return None,
    };
    let (start, end) = (byte_at(text, selection.start), byte_at(text, selection.end));
    let next = text[end..].chars().next();
    if start == end && close == typed && next == Some(typed) {
        let after = selection.end + 1;
        return Some(Edit {
            replace: selection.end..selection.end,
            with: String::new(),
            selection: after..after,
        });
    }
    if matches!(typed, ')' | ']' | '}') {
        return None;
    }
    let quote = close == typed;
    let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    // Inside a word a quote is an apostrophe or an end, before one an opening half stands alone.
    if start == end
        && (in_word(next)
            || (quote
                && (in_word(text[..start].chars().next_back()) || text[..start].ends_with(typed))))
    {
        return None;
    }
    let inner = &text[start..end];
    Some(Edit {
        replace: selection.clone(),
        with: format!("{typed}{inner}{close}"),
        selection: selection.start + 1..selection.end + 1,
    })
}

/// Line and column of a position, both counted from 1.
pub fn line_and_column(text: &str, at: u32) -> (usize, usize) {
    let before = &text[..byte_at(text, at)];
    (
        before.matches('\n').count() + 1,
        before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1,
    )
}

/// Where the line `line` (counted from 1) begins, for moving the cursor there.
pub fn line_start(text: &str, line: u32) -> u32 {
    let before = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    units(&text[..before])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str, edit: &Edit) -> String {
        format!(
            "{}{}{}",
            &text[..byte_at(text, edit.replace.start)],
            edit.with,
            &text[byte_at(text, edit.replace.end)..]
        )
    }

    fn run(
        operation: fn(&str, Range<u32>) -> Option<Edit>,
        text: &str,
        selection: Range<u32>,
    ) -> (String, Range<u32>) {
        let edit = operation(text, selection).expect("an edit");
        (apply(text, &edit), edit.selection)
    }

    #[test]
    fn tab_at_a_cursor_goes_to_the_next_step() {
        assert_eq!(run(indent, "ab", 2..2), ("ab  ".to_owned(), 4..4));
        assert_eq!(run(indent, "결제x", 0..3), ("    ".to_owned(), 4..4));
    }

    #[test]
    fn tab_and_shift_tab_move_the_selected_lines_and_keep_the_selection() {
        let (deeper, selection) = run(indent, "a\n\nbc\nd", 0..5);
        assert_eq!(
            (deeper.as_str(), selection.clone()),
            ("    a\n\n    bc\nd", 4..13)
        );
        assert_eq!(
            run(outdent, &deeper, selection),
            ("a\n\nbc\nd".to_owned(), 0..5)
        );
        assert_eq!(
            run(indent, "a\nb\nc", 0..4),
            ("    a\n    b\nc".to_owned(), 4..12)
        );
        assert_eq!(run(outdent, "\tx", 0..0), ("x".to_owned(), 0..0));
        assert_eq!(run(outdent, "x\n  y", 3..3), ("x\ny".to_owned(), 2..2));
        assert_eq!(outdent("x", 0..0), None);
    }

    #[test]
    fn enter_keeps_the_depth_and_follows_blocks() {
        assert_eq!(
            run(new_line, "def f():", 8..8),
            ("def f():\n    ".to_owned(), 13..13)
        );
        assert_eq!(
            run(new_line, "    x = 1", 9..9),
            ("    x = 1\n    ".to_owned(), 14..14)
        );
        assert_eq!(
            run(new_line, "        return 1", 16..16),
            ("        return 1\n    ".to_owned(), 21..21)
        );
        assert_eq!(
            run(new_line, "    returned", 12..12).0,
            "    returned\n    "
        );
        assert_eq!(run(new_line, "f()", 2..2), ("f(\n    \n)".to_owned(), 7..7));
        assert_eq!(run(new_line, "a🎉b", 1..3), ("a\nb".to_owned(), 2..2));
    }

    #[test]
    fn comments_go_on_and_off_again() {
        let (off, selection) = run(toggle_comment, "  a\n\n    b", 0..10);
        assert_eq!(off, "  # a\n\n  #   b");
        assert_eq!(run(toggle_comment, &off, selection).0, "  a\n\n    b");
        assert_eq!(
            run(toggle_comment, "# 결제\nx", 3..3),
            ("결제\nx".to_owned(), 1..1)
        );
        assert_eq!(toggle_comment("\n", 0..0), None);
    }

    #[test]
    fn brackets_and_quotes_come_in_pairs_where_that_helps() {
        let typed = |text, selection, c| {
            pair(text, selection, c).map(|edit| (apply(text, &edit), edit.selection))
        };
        assert_eq!(typed("f", 1..1, '('), Some(("f()".to_owned(), 2..2)));
        assert_eq!(typed("f()", 2..2, ')'), Some(("f()".to_owned(), 3..3)));
        assert_eq!(typed("ab", 0..2, '"'), Some(("\"ab\"".to_owned(), 1..3)));
        assert_eq!(typed("it", 2..2, '\''), None);
        assert_eq!(typed("ab", 0..0, '('), None);
        assert_eq!(typed("x", 1..1, ')'), None);
    }

    #[test]
    fn positions_count_as_the_browser_counts() {
        assert_eq!(line_and_column("결🎉\nab", 5), (2, 2));
        assert_eq!(line_and_column("a", 99), (1, 2));
        assert_eq!(line_start("🎉\nb\nc", 3), 5);
        assert_eq!(line_start("a", 9), 1);
    }
}
