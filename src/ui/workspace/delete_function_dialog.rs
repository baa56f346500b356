//! The dialog that deletes a function of the list.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::functions::DeleteFunction;
use crate::model::id::WorkspaceId;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{SubmitButton, Weight};
use crate::ui::widgets::dialog::Dialog;
use crate::ui::widgets::field::error_of_form;
use crate::ui::widgets::notice::{FormError, action_error};

/// `name` is the function's, or its id where the list does not have it.
#[component]
pub fn DeleteFunctionDialog(
    action: ServerAction<DeleteFunction>,
    workspace: WorkspaceId,
    function: String,
    name: String,
    close: String,
) -> impl IntoView {
    let words = &use_i18n().functions;
    view! {
        <Dialog title=(words.delete_title)(&name) close=close.clone()>
            <ActionForm action>
                <input type="hidden" name="workspace" value=workspace.to_string()/>
                <input type="hidden" name="function" value=function/>
                <div class="dialog__body">
                    <FormError error=error_of_form(action_error(action), &[])/>
                    <p>{words.delete_text}</p>
                </div>
                <div class="dialog__footer">
                    <a class="button" href=close autofocus>{use_i18n().widgets.cancel}</a>
                    <SubmitButton label=words.delete_confirm weight=Weight::Danger busy=action.pending()/>
                </div>
            </ActionForm>
        </Dialog>
    }
}
