//! Deleting a workspace: the way to it, and the dialog that asks for the name.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::workspaces::DeleteWorkspace;
use crate::model::workspace::Workspace;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{SubmitButton, Weight};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::dialog::Dialog;
use crate::ui::widgets::field::{TextField, error_of, error_of_form};
use crate::ui::widgets::notice::{FormError, action_error};

#[component]
pub fn DangerZone(#[prop(into)] open: String) -> impl IntoView {
    let words = &use_i18n().workspace;
    view! {
        <Card title=words.danger class="card--danger">
            <div class="card__body setting">
                <p>{words.delete_text}</p>
                <a class="button button--danger-quiet" href=open>{words.delete_open}</a>
            </div>
        </Card>
    }
}

/// The server compares the typed name, so that a form sent without JavaScript is checked as well.
#[component]
pub fn DeleteWorkspaceDialog(workspace: Workspace, #[prop(into)] close: String) -> impl IntoView {
    let words = &use_i18n().workspace;
    let action = ServerAction::<DeleteWorkspace>::new();
    let error = action_error(action);
    let name = workspace.name.to_string();
    view! {
        <Dialog title=(words.delete_title)(&name) close=close.clone()>
            <ActionForm action>
                <input type="hidden" name="id" value=workspace.id.to_string()/>
                <div class="dialog__body">
                    <FormError error=error_of_form(error, &["confirmation"])/>
                    <p>{(words.delete_what)(workspace.function_count)}</p>
                    <TextField
                        id="confirmation"
                        name="confirmation"
                        label=(words.delete_confirm)(&name)
                        required=true
                        autofocus=true
                        error=error_of(error, "confirmation")
                    />
                </div>
                <div class="dialog__footer">
                    <a class="button" href=close>{use_i18n().widgets.cancel}</a>
                    <SubmitButton label=words.delete_submit weight=Weight::Danger busy=action.pending()/>
                </div>
            </ActionForm>
        </Dialog>
    }
}
