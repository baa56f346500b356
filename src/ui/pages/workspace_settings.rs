//! `/workspaces/{ws}/settings`: a workspace's name and description, its API, its end.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::{use_query, use_workspace_id, with_query, workspace_href};
use crate::api::workspaces::{UpdateWorkspace, get_workspace};
use crate::model::workspace::{MAX_DESCRIPTION, MAX_NAME, Workspace};
use crate::ui::frame::{BackLink, Page, PageHead, use_current_workspace};
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{SubmitButton, Weight};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::field::{TextArea, TextField, error_of, error_of_form};
use crate::ui::widgets::load::Load;
use crate::ui::widgets::notice::{FormError, action_error};
use crate::ui::widgets::toast::use_toasts;
use crate::ui::workspace::api_examples::ApiExamples;
use crate::ui::workspace::danger::{DangerZone, DeleteWorkspaceDialog};
use crate::ui::workspace::transfer::Transfer;

#[component]
pub fn Settings() -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.workspace;
    let id = use_workspace_id();
    let workspace = Resource::new(
        move || id.get(),
        |id| async move { get_workspace(id?).await },
    );
    let action = ServerAction::<UpdateWorkspace>::new();
    let (toasts, current) = (use_toasts(), use_current_workspace());
    Effect::new(move |_| {
        if let Some(Ok(_)) = action.value().get() {
            toasts.succeeded(words.saved.to_owned());
            current.refresh();
        }
    });
    let dialog = use_query("dialog");
    let here = move || workspace_href(&id.get(), "/settings");
    view! {
        <Page title=words.settings.to_owned()>
            <BackLink href=Signal::derive(move || workspace_href(&id.get(), "")) label=i18n.frame.overview.to_owned()/>
            <PageHead title=words.settings/>
            <Load resource=workspace let:workspace>
                {
                    let id = workspace.id.clone();
                    let deleted = workspace.clone();
                    let delete_dialog = move || {
                        (dialog.get().as_deref() == Some("delete")).then(|| view! { <DeleteWorkspaceDialog workspace=deleted.clone() close=here()/> })
                    };
                    view! {
                        <General workspace action/>
                        <Transfer workspace=id.clone()/>
                        <ApiExamples workspace=id/>
                        <DangerZone open=with_query(&here(), &[("dialog", "delete")])/>
                        {delete_dialog}
                    }
                }
            </Load>
        </Page>
    }
}

#[component]
fn General(workspace: Workspace, action: ServerAction<UpdateWorkspace>) -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.workspace;
    let error = action_error(action);
    view! {
        <Card title=words.general>
            <ActionForm action attr:class="card__body form form--narrow">
                <input type="hidden" name="id" value=workspace.id.to_string()/>
                <FormError error=error_of_form(error, &["name", "description"])/>
                <TextField
                    id="workspace-name"
                    name="name"
                    label=words.name
                    value=workspace.name.to_string()
                    required=true
                    maxlength=MAX_NAME
                    error=error_of(error, "name")
                />
                <TextArea
                    id="workspace-description"
                    name="description"
                    label=words.description
                    note=i18n.widgets.optional
                    value=workspace.description.map(|text| text.to_string()).unwrap_or_default()
                    maxlength=MAX_DESCRIPTION
                    placeholder=words.description_placeholder
                    error=error_of(error, "description")
                />
                <div><SubmitButton label=words.save weight=Weight::Primary busy=action.pending()/></div>
            </ActionForm>
        </Card>
    }
}
