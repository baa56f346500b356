//! Highlighted source as HTML. Markup as text: a node per token would be far too many for a long file.

use std::sync::Arc;

use super::highlight::{Token, highlight};
use crate::model::source::{Diagnostic, Severity};

/// A line of the overlay: the inside of its element, and the class that says what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaintedLine {
    pub html: Arc<str>,
    pub severity: Option<Severity>,
}

/// Text that can stand between tags and in attributes.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    push_escaped(&mut html, text);
    html
}

fn push_escaped(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(character),
        }
    }
}

fn push_piece(html: &mut String, class: Option<&str>, text: &str) {
    let Some(class) = class else {
        return push_escaped(html, text);
    };
    html.push_str("<span class=\"");
    html.push_str(class);
    html.push_str("\">");
    push_escaped(html, text);
    html.push_str("</span>");
}

/// Text in spans of these classes.
pub fn paint_pieces<'a>(
    pieces: impl IntoIterator<Item = (Option<&'static str>, &'a str)>,
) -> String {
    let mut html = String::new();
    for (class, text) in pieces {
        push_piece(&mut html, class, text);
    }
    html
}

/// Every line of a source, with what is wrong marked from its column on and said at the end of its line.
pub fn paint(source: &str, diagnostics: &[Diagnostic]) -> Vec<PaintedLine> {
    let number = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
    highlight(source)
        .iter()
        .enumerate()
        .map(|(index, tokens)| {
            paint_line(
                tokens,
                diagnostics.iter().find(|found| found.line == number(index)),
            )
        })
        .collect()
}

fn paint_line(tokens: &[Token<'_>], found: Option<&Diagnostic>) -> PaintedLine {
    let mut html = String::from("<span>");
    match found {
        None => push_tokens(&mut html, tokens),
        Some(found) => push_marked(&mut html, tokens, found.column),
    }
    html.push_str("</span>");
    if let Some(found) = found {
        let class = if found.severity == Severity::Error {
            "editor__lens"
        } else {
            "editor__lens editor__lens--warn"
        };
        push_piece(
            &mut html,
            Some(class),
            found.message.lines().next().unwrap_or_default(),
        );
    }
    PaintedLine {
        html: html.into(),
        severity: found.map(|found| found.severity),
    }
}

fn push_tokens(html: &mut String, tokens: &[Token<'_>]) {
    for token in tokens {
        push_piece(html, token.kind.class(), token.text);
    }
}

/// The tokens with a squiggle from `column` (counted in characters from 1) to the end; from the first character when there is none such.
fn push_marked(html: &mut String, tokens: &[Token<'_>], column: u32) {
    let line: String = tokens.iter().map(|token| token.text).collect();
    let indented = line.len() - line.trim_start().len();
    let split = line
        .char_indices()
        .nth(column.saturating_sub(1) as usize)
        .map_or(indented, |(byte, _)| byte.max(indented));
    let mut passed = 0;
    let mut open = false;
    for token in tokens {
        let end = passed + token.text.len();
        let cut = split.clamp(passed, end) - passed;
        let (before, after) = token.text.split_at(cut);
        if !before.is_empty() {
            push_piece(html, token.kind.class(), before);
        }
        if !after.is_empty() {
            if !open {
                html.push_str("<span class=\"squiggle\">");
                open = true;
            }
            push_piece(html, token.kind.class(), after);
        }
        passed = end;
    }
    if open {
        html.push_str("</span>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: u32, column: u32) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            file: "app.py".to_owned(),
            line,
            column,
            message: "not <closed>\nmore".to_owned(),
            hint: None,
            excerpt: None,
        }
    }

    #[test]
    fn source_cannot_become_markup() {
        let lines = paint("x = \"</span><script>&\"", &[]);
        assert_eq!(
            &*lines[0].html,
            "<span>x <span class=\"p\">=</span> <span class=\"s\">&quot;&lt;/span&gt;&lt;script&gt;&amp;&quot;</span></span>"
        );
    }

    #[test]
    fn what_is_wrong_is_marked_from_its_column_and_said_at_the_end() {
        let lines = paint("a\n  foo(b", &[error(2, 4)]);
        assert_eq!(lines[0].severity, None);
        assert_eq!(lines[1].severity, Some(Severity::Error));
        assert_eq!(
            &*lines[1].html,
            "<span>  <span class=\"f\">f</span><span class=\"squiggle\"><span class=\"f\">oo</span><span class=\"p\">(</span>b</span></span><span class=\"editor__lens\">not &lt;closed&gt;</span>"
        );
    }

    #[test]
    fn a_column_outside_the_line_marks_all_of_it() {
        assert!(
            paint("  결제 = 1", &[error(1, 99)])[0]
                .html
                .starts_with("<span>  <span class=\"squiggle\">결제")
        );
        assert!(
            paint("결제", &[error(1, 0)])[0]
                .html
                .contains("<span class=\"squiggle\">결제</span>")
        );
        assert!(!paint("", &[error(1, 1)])[0].html.contains("squiggle"));
    }
}
