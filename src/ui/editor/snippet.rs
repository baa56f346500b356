//! A few lines of source around something wrong.

use leptos::prelude::*;

use super::overlay::line_class;
use super::paint::paint;
use crate::model::source::Diagnostic;

/// Lines shown before and after the one that is meant.
const CONTEXT: usize = 2;

/// The line with those around it where `source` still has it as it was, else the line alone as the diagnostic keeps it.
fn cut(found: &Diagnostic, source: &str) -> Option<(usize, String)> {
    let line = (found.line as usize).checked_sub(1)?;
    let lines: Vec<&str> = source.split('\n').collect();
    let unchanged = lines.get(line).is_some_and(|text| {
        found
            .excerpt
            .as_deref()
            .is_none_or(|excerpt| excerpt.trim_end() == text.trim_end())
    });
    if unchanged {
        let from = line.saturating_sub(CONTEXT);
        return Some((
            from,
            lines[from..(line + CONTEXT + 1).min(lines.len())].join("\n"),
        ));
    }
    found.excerpt.clone().map(|excerpt| (line, excerpt))
}

/// The source at a diagnostic, read-only; `end` stands in its bar.
#[component]
pub fn Snippet(
    found: Diagnostic,
    /// The module as it is saved now.
    source: String,
    #[prop(optional, into)] end: ViewFnOnce,
) -> impl IntoView {
    cut(&found, &source).map(|(from, text)| {
        let place = if found.file.is_empty() { found.line.to_string() } else { format!("{}:{}", found.file, found.line) };
        let shifted = Diagnostic { line: found.line.saturating_sub(u32::try_from(from).unwrap_or(u32::MAX)), ..found };
        let lines = paint(&text, std::slice::from_ref(&shifted));
        view! {
            <div class="editor">
                <div class="editor__bar"><span class="mono">{place}</span><span class="grow"></span>{end.run()}</div>
                // The line numbers come from a counter that starts here.
                <div class="editor__text" tabindex="0" style=format!("--from:{from}")>
                    <code class="editor__lines">
                        {lines.into_iter().map(|line| view! { <span class=line_class(&line, false) inner_html=line.html></span> }).collect_view()}
                    </code>
                </div>
            </div>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::Severity;

    fn at(line: u32, excerpt: Option<&str>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            file: "app.py".to_owned(),
            line,
            column: 1,
            message: "wrong".to_owned(),
            hint: None,
            excerpt: excerpt.map(str::to_owned),
        }
    }

    #[test]
    fn the_line_comes_with_those_around_it() {
        assert_eq!(
            cut(&at(4, Some("d")), "a\nb\nc\nd\ne\nf\ng"),
            Some((1, "b\nc\nd\ne\nf".to_owned()))
        );
        assert_eq!(cut(&at(1, None), "a"), Some((0, "a".to_owned())));
    }

    #[test]
    fn a_line_that_changed_since_is_shown_as_it_was() {
        assert_eq!(
            cut(&at(2, Some("old")), "a\nnew\nc"),
            Some((1, "old".to_owned()))
        );
        assert_eq!(cut(&at(9, None), "a"), None);
        assert_eq!(cut(&at(0, Some("x")), "a"), None);
    }
}
