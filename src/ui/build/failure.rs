//! Why a build failed: the message, the line in its source, what to do, the full output.

use leptos::prelude::*;

use crate::model::source::Diagnostic;
use crate::model::task::TaskView;
use crate::ui::editor::snippet::Snippet;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::{FunctionContext, FunctionTab};
use crate::ui::widgets::button::{LinkButton, Size};
use crate::ui::widgets::icon::Glyph;
use crate::ui::widgets::notice::Banner;

/// What is copied of a failure.
pub fn failure_text(task: &TaskView) -> String {
    let found = task.diagnostics.iter().map(ToString::to_string);
    match &task.error {
        Some(error)
            if !task
                .diagnostics
                .iter()
                .any(|found| error.contains(&found.message)) =>
        {
            std::iter::once(error.clone())
                .chain(found)
                .collect::<Vec<_>>()
                .join("\n")
        }
        Some(error) => error.clone(),
        None => found.collect::<Vec<_>>().join("\n"),
    }
}

#[component]
pub fn Failure(context: FunctionContext, task: TaskView) -> impl IntoView {
    let source = context
        .detail
        .with_untracked(|detail| {
            detail
                .function
                .code
                .as_ref()
                .map(|code| code.python().replace("\r\n", "\n"))
        })
        .unwrap_or_default();
    // The error repeats what a diagnostic says at its place.
    let message = task.error.filter(|error| {
        !task
            .diagnostics
            .iter()
            .any(|found| error.contains(&found.message))
    });
    view! {
        <div class="stack stack--s">
            {message.map(|message| view! { <p class="mono bad build-error">{message}</p> })}
            {task.diagnostics.into_iter().map(|found| view! { <Finding context found source=source.clone()/> }).collect_view()}
        </div>
    }
}

#[component]
fn Finding(context: FunctionContext, found: Diagnostic, source: String) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let line = found.line;
    let code = format!("{}#L{line}", context.path(FunctionTab::Code));
    let hint = found.hint.clone();
    view! {
        <p class="mono bad build-error">{found.message.clone()}</p>
        <Snippet found source end=move || view! { <LinkButton href=code label=(words.open_line)(line) size=Size::Small glyph=Glyph::Edit/> }/>
        {hint.map(|hint| view! { <Banner><strong>{words.what_to_do}</strong> ": " {hint}</Banner> })}
    }
}
