//! The dialog that creates a workspace.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::workspaces::CreateWorkspace;
use crate::model::workspace::{MAX_DESCRIPTION, MAX_NAME};
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{SubmitButton, Weight};
use crate::ui::widgets::dialog::Dialog;
use crate::ui::widgets::field::{TextArea, TextField, error_of, error_of_form};
use crate::ui::widgets::notice::{FormError, action_error};

/// `taken` are the names in use: another workspace may have the same one, but is warned of.
#[component]
pub fn CreateDialog(close: String, taken: Signal<Vec<String>>) -> impl IntoView {
    let words = &use_i18n().workspace;
    let action = ServerAction::<CreateWorkspace>::new();
    let error = action_error(action);
    let typed = RwSignal::new(String::new());
    let warning = Signal::derive(move || {
        let twice =
            typed.with(|typed| taken.with(|taken| taken.iter().any(|name| name == typed.trim())));
        if twice {
            words.name_taken.to_owned()
        } else {
            String::new()
        }
    });
    view! {
        <Dialog title=words.create_title close=close.clone()>
            <ActionForm action>
                <div class="dialog__body">
                    <FormError error=error_of_form(error, &["name", "description"])/>
                    <TextField
                        id="workspace-name"
                        name="name"
                        label=words.name
                        required=true
                        autofocus=true
                        maxlength=MAX_NAME
                        hint=warning
                        typed
                        error=error_of(error, "name")
                    />
                    <TextArea
                        id="workspace-description"
                        name="description"
                        label=words.description
                        note=use_i18n().widgets.optional
                        rows=2
                        maxlength=MAX_DESCRIPTION
                        placeholder=words.description_placeholder
                        error=error_of(error, "description")
                    />
                </div>
                <div class="dialog__footer">
                    <a class="button" href=close>{use_i18n().widgets.cancel}</a>
                    <SubmitButton label=words.create_submit weight=Weight::Primary busy=action.pending()/>
                </div>
            </ActionForm>
        </Dialog>
    }
}
