//! The highlighted lines under the textarea.

use leptos::prelude::*;

use super::paint::{PaintedLine, paint};
use super::state::EditorState;
use crate::model::source::Severity;

pub(super) fn line_class(line: &PaintedLine, current: bool) -> &'static str {
    match (line.severity, current) {
        (None, false) => "editor__line",
        (None, true) => "editor__line editor__line--current",
        (Some(Severity::Error), false) => "editor__line editor__line--error",
        (Some(Severity::Error), true) => "editor__line editor__line--error editor__line--current",
        (Some(Severity::Warning), false) => "editor__line editor__line--warn",
        (Some(Severity::Warning), true) => "editor__line editor__line--warn editor__line--current",
    }
}

/// Every line has the address `#L` and its number.
#[component]
pub(super) fn Overlay(state: EditorState) -> impl IntoView {
    let painted = Memo::new(move |_| {
        state
            .text
            .with(|text| state.diagnostics.with(|found| paint(text, found)))
    });
    let current = Memo::new(move |_| state.position.get().0);
    let lines = move || {
        let current = current.get();
        painted.with(|lines| {
            lines
                .iter()
                .enumerate()
                .map(|(index, line)| {
                    let number = index + 1;
                    view! { <span id=format!("L{number}") class=line_class(line, number == current) inner_html=line.html.clone()></span> }
                })
                .collect_view()
        })
    };
    view! { <code class="editor__lines" aria-hidden="true">{lines}</code> }
}
