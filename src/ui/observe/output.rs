//! What a function printed during one call.

use leptos::prelude::*;

use crate::ui::i18n::use_i18n;

/// Joins the lines of every traceback into one entry; `true` marks such.
pub fn entries(lines: &[String]) -> Vec<(bool, String)> {
    let mut entries: Vec<(bool, String)> = Vec::new();
    let mut inside = false;
    for line in lines {
        if line.starts_with("Traceback (most recent call last)") {
            inside = true;
            entries.push((true, line.clone()));
        } else if inside {
            if let Some((_, text)) = entries.last_mut() {
                text.push('\n');
                text.push_str(line);
            }
            // The line that names the exception is the first one that is not indented.
            inside = line.is_empty() || line.starts_with([' ', '\t']);
        } else {
            entries.push((false, line.clone()));
        }
    }
    entries
}

#[component]
pub fn Output(lines: Vec<String>) -> impl IntoView {
    if lines.is_empty() {
        return view! { <p class="muted">{use_i18n().function.executions.no_output}</p> }
            .into_any();
    }
    let rows = entries(&lines).into_iter().map(|(failed, text)| view! { <div class=if failed { "bad" } else { "" }><span>{text}</span></div> }).collect_view();
    view! { <div class="code"><div class="output" tabindex="0">{rows}</div></div> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn a_traceback_is_one_entry() {
        let lines = [
            "before",
            "Traceback (most recent call last):",
            "  File \"app.py\", line 2, in f",
            "    x",
            "KeyError: 'a'",
            "after",
        ]
        .map(str::to_owned);
        let told = entries(&lines);
        assert_eq!(
            told.iter().map(|(failed, _)| *failed).collect::<Vec<_>>(),
            [false, true, false]
        );
        assert!(told[1].1.ends_with("KeyError: 'a'"));
    }

    #[test]
    fn a_traceback_that_was_cut_off_keeps_what_there_is() {
        let lines = ["Traceback (most recent call last):", "  File"].map(str::to_owned);
        assert_eq!(entries(&lines).len(), 1);
    }
}
