//! The bar under the code that says what is wrong, and how to go on.

use leptos::prelude::*;

use super::state::EditorState;
use crate::model::source::{Diagnostic, Severity};
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{Size, Weight, button_class};
use crate::ui::widgets::icon::{Glyph, Icon};

/// Shows the first error, or else the first warning; the others stand at their lines.
#[component]
pub(super) fn ProblemBar(state: EditorState) -> impl IntoView {
    let first = Memo::new(move |_| {
        state.diagnostics.with(|found| {
            found
                .iter()
                .find(|found| found.severity == Severity::Error)
                .or_else(|| found.first())
                .cloned()
        })
    });
    view! { <div role="status">{move || first.get().map(|found| view! { <Problem found state/> })}</div> }
}

#[component]
fn Problem(found: Diagnostic, state: EditorState) -> impl IntoView {
    let words = &use_i18n().function.code;
    let line = found.line;
    let place = (line > 0).then(|| format!("{}: ", (words.at_line)(line)));
    let blocks = (found.severity == Severity::Error).then_some(words.saving_still_works);
    let explanation = [found.hint.as_deref(), blocks]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    view! {
        <div class="problem">
            <Icon glyph=Glyph::Alert/>
            <div class="grow">
                <strong class="mono">{found.message}</strong>
                <p>{place}{explanation}</p>
            </div>
            {(line > 0)
                .then(|| {
                    view! {
                        <button type="button" class=button_class(Weight::Plain, Size::Small) on:click=move |_| state.go_to_line(line)>
                            {(words.go_to_line)(line)}
                        </button>
                    }
                })}
        </div>
    }
}
