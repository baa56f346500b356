//! Live lines: which of them are shown, and what of them fits the filter.

use leptos::prelude::*;

use crate::model::execution::Level;
use crate::model::metrics::LogLine;
use crate::ui::editor::paint::escape;
use crate::ui::i18n::function::logs::LogMessages;
use crate::ui::i18n::time;

/// Lines kept in the page; older ones leave.
pub const KEPT: usize = 2_000;

/// What is shown of the lines. An empty text and no level show all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineFilter {
    pub text: String,
    pub level: Option<Level>,
}

impl LineFilter {
    pub fn passes(&self, line: &LogLine) -> bool {
        self.level.is_none_or(|level| level == line.level)
            && (self.text.is_empty() || !find_all(&line.text, &self.text).is_empty())
    }
}

pub fn level_key(level: Option<Level>) -> &'static str {
    match level {
        None => "",
        Some(Level::Info) => "info",
        Some(Level::Warn) => "warn",
        Some(Level::Error) => "error",
    }
}

pub fn level_from_key(key: &str) -> Option<Level> {
    [Level::Info, Level::Warn, Level::Error]
        .into_iter()
        .find(|level| level_key(Some(*level)) == key)
}

/// Where `needle` stands in `text`, as bytes, without regard to case. Character by character: lower case may be longer.
fn find_all(text: &str, needle: &str) -> Vec<std::ops::Range<usize>> {
    let needle: Vec<char> = needle.chars().flat_map(char::to_lowercase).collect();
    let mut found = Vec::new();
    let mut from = 0;
    while !needle.is_empty() && from < text.len() {
        let mut rest = needle.as_slice();
        let mut end = from;
        for character in text[from..].chars() {
            let lower: Vec<char> = character.to_lowercase().collect();
            let Some(after) = rest.strip_prefix(lower.as_slice()) else {
                break;
            };
            rest = after;
            end += character.len_utf8();
            if rest.is_empty() {
                break;
            }
        }
        if rest.is_empty() {
            found.push(from..end);
            from = end;
        } else {
            from += text[from..].chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// The text as markup with what was looked for marked.
fn marked(text: &str, needle: &str) -> String {
    let mut html = String::new();
    let mut from = 0;
    for found in find_all(text, needle) {
        html.push_str(&escape(&text[from..found.start]));
        html.push_str("<mark>");
        html.push_str(&escape(&text[found.clone()]));
        html.push_str("</mark>");
        from = found.end;
    }
    html.push_str(&escape(&text[from..]));
    html
}

#[component]
pub fn Line(line: LogLine, words: &'static LogMessages, filter: Memo<LineFilter>) -> impl IntoView {
    let (class, level) = match line.level {
        Level::Info => ("log log--info", words.level_info),
        Level::Warn => ("log log--warn", words.level_warn),
        Level::Error => ("log log--error", words.level_error),
    };
    let text = line.text;
    let markup = move || filter.with(|filter| marked(&text, &filter.text));
    view! {
        <div class=class>
            <time datetime=line.at.to_string() title=time::exact(line.at)>{time::clock(line.at)}</time>
            <b>{level}</b>
            <span inner_html=markup></span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn line(level: Level, text: &str) -> LogLine {
        LogLine {
            nanos: 1,
            at: Timestamp::from_seconds(0),
            level,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_line_passes_by_level_and_text_without_regard_to_case() {
        let filter = LineFilter {
            text: "done".to_owned(),
            level: Some(Level::Info),
        };
        assert!(filter.passes(&line(Level::Info, "payment DONE")));
        assert!(!filter.passes(&line(Level::Warn, "payment DONE")));
        assert!(!filter.passes(&line(Level::Info, "payment")));
        assert!(LineFilter::default().passes(&line(Level::Error, "")));
    }

    #[test]
    fn what_was_looked_for_is_marked_and_nothing_becomes_markup() {
        assert_eq!(
            marked("<b>İstanbul 결제 결제</b>", "결제"),
            "&lt;b&gt;İstanbul <mark>결제</mark> <mark>결제</mark>&lt;/b&gt;"
        );
        assert_eq!(
            marked("aAa", "A"),
            "<mark>a</mark><mark>A</mark><mark>a</mark>"
        );
        assert_eq!(marked("a<", ""), "a&lt;");
    }

    #[test]
    fn levels_keep_their_word_in_the_address() {
        for level in [
            None,
            Some(Level::Info),
            Some(Level::Warn),
            Some(Level::Error),
        ] {
            assert_eq!(level_from_key(level_key(level)), level);
        }
    }
}
