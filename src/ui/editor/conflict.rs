//! Someone else saved meanwhile: what they saved against what is in the editor, and the choice between the two.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::diff::diff_view;
use super::state::EditorState;
use crate::api::functions::{SaveCode, function_detail};
use crate::model::diff::{Side, diff_lines};
use crate::model::function::FunctionDetail;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::notice::{Banner, Tone};
use crate::ui::widgets::toast::use_toasts;

fn code_of(detail: &FunctionDetail) -> String {
    detail
        .function
        .code
        .as_ref()
        .map(|code| code.python().replace("\r\n", "\n"))
        .unwrap_or_default()
}

/// Shown while the last save was refused for this reason.
#[component]
pub fn Conflict(
    context: FunctionContext,
    state: EditorState,
    save: ServerAction<SaveCode>,
    etag: RwSignal<String>,
) -> impl IntoView {
    let words = &use_i18n().function.code;
    let toasts = use_toasts();
    let theirs = RwSignal::new(None::<FunctionDetail>);
    let show = move |_| {
        let (workspace, function) = (context.workspace(), context.function());
        spawn_local(async move {
            match function_detail(workspace, function).await {
                Ok(detail) => theirs.set(Some(detail)),
                Err(error) => toasts.failed(error.message),
            }
        });
    };
    let take = move |_| {
        if let Some(detail) = theirs.get_untracked() {
            state.load(&code_of(&detail));
            etag.set(detail.etag.clone());
            context.detail.set(detail);
            save.value().set(None);
        }
    };
    let overwrite = move |_| {
        save.dispatch(SaveCode {
            workspace: context.workspace(),
            function: context.function(),
            code: state.text.get_untracked(),
            etag: String::new(),
        });
    };
    let text = move || {
        if state.is_dirty() {
            words.conflict_text
        } else {
            words.conflict_lost
        }
    };
    view! {
        <Banner tone=Tone::Warn>
            <strong>{words.conflict_title}</strong>
            " "
            {text}
            <div class="row row--wrap conflict__choice">
                <button type="button" class="button button--s" on:click=show>{words.conflict_theirs}</button>
                <button type="button" class="button button--s" on:click=overwrite>{words.conflict_overwrite}</button>
                {move || theirs.with(Option::is_some).then(|| view! { <button type="button" class="button button--s" on:click=take>{words.conflict_take}</button> })}
            </div>
            {move || theirs.get().map(|detail| view! { <Difference mine=state.text.get() theirs=code_of(&detail)/> })}
        </Banner>
    }
}

#[component]
fn Difference(mine: String, theirs: String) -> impl IntoView {
    let words = &use_i18n().function.code;
    let lines = diff_lines(&mine, &theirs);
    let count = |side| lines.iter().filter(|(own, _)| *own == side).count();
    let summary = if lines.is_empty() {
        words.conflict_same.to_owned()
    } else {
        (words.conflict_lines)(count(Side::New), count(Side::Old))
    };
    view! {
        <p>{summary}</p>
        {diff_view(&lines)}
    }
}
