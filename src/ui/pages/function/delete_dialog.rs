//! Deleting a function, at `?dialog=delete`.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::context::{FunctionContext, FunctionTab};
use crate::api::functions::DeleteFunction;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{LinkButton, SubmitButton, Weight};
use crate::ui::widgets::dialog::Dialog;
use crate::ui::widgets::notice::{FormError, action_failure};

#[component]
pub(super) fn DeleteDialog(context: FunctionContext, tab: FunctionTab) -> impl IntoView {
    let delete = ServerAction::<DeleteFunction>::new();
    let query = use_query_map();
    let open = Memo::new(move |_| query.with(|query| query.get_str("dialog") == Some("delete")));
    move || {
        open.get()
            .then(|| view! { <DeleteForm context tab delete/> })
    }
}

#[component]
fn DeleteForm(
    context: FunctionContext,
    tab: FunctionTab,
    delete: ServerAction<DeleteFunction>,
) -> impl IntoView {
    let words = &use_i18n().function.frame;
    let close = context.path(tab);
    let name = context
        .detail
        .with_untracked(|detail| detail.function.name.to_string());
    let failed = action_failure(delete);
    view! {
        <Dialog title=(words.delete_title)(&name) close=close.clone()>
            <ActionForm action=delete>
                <input type="hidden" name="workspace" value=context.workspace().to_string()/>
                <input type="hidden" name="function" value=context.function().to_string()/>
                <div class="dialog__body">
                    <FormError error=failed/>
                    <p>{words.delete_text}</p>
                    <ul class="bullets">
                        <li>{words.delete_code}</li>
                        <li>{words.delete_versions}</li>
                        <li>{words.delete_executions}</li>
                    </ul>
                </div>
                <div class="dialog__footer">
                    <LinkButton href=close label=words.cancel weight=Weight::Ghost/>
                    <SubmitButton label=words.delete_confirm weight=Weight::Danger busy=delete.pending()/>
                </div>
            </ActionForm>
        </Dialog>
    }
}
