//! `/workspaces/{ws}/functions/new`: a new function, from a template.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::{use_query, use_workspace_id, with_query, workspace_href};
use crate::api::functions::{CreateFunction, SettingsForm};
use crate::model::error::Error;
use crate::model::id::WorkspaceId;
use crate::ui::browser;
use crate::ui::editor::{CodeEditor, EditorState};
use crate::ui::frame::{BackLink, Page, PageHead, use_current_workspace};
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::card::Card;
use crate::ui::widgets::field::{FieldError, error_of, error_of_form};
use crate::ui::widgets::notice::{FormError, action_error};
use crate::ui::widgets::settings_fields::{SettingsFields, SettingsOf, new_settings};
use crate::ui::workspace::code_template::CodeTemplate;
use crate::ui::workspace::import_form::ImportForm;

/// The fields that show their error themselves.
const OWN_ERRORS: &[&str] = &[
    "name",
    "description",
    "httpMethods",
    "memory",
    "timeout",
    "environmentVariables",
    "allowedOutboundHosts",
    "invocationUrl",
    "code",
];
const FORM: &str = "create-function";
const DEPLOY_BUTTON: &str = "create-and-deploy";

#[component]
pub fn NewFunction() -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.functions;
    let workspace = use_workspace_id();
    let create = ServerAction::<CreateFunction>::new();
    let error = action_error(create);
    let key = use_query("template");
    let template = Memo::new(move |_| CodeTemplate::from_key(&key.get().unwrap_or_default()));
    let initial = SettingsForm {
        allowed_outbound_hosts: template.get_untracked().outbound_hosts().to_owned(),
        ..new_settings()
    };
    browser::use_shortcut("Enter", || browser::click(DEPLOY_BUTTON));
    let list = Signal::derive(move || workspace_href(&workspace.get(), "/functions"));
    view! {
        <Page title=words.new_title.to_owned()>
            <BackLink href=list label=words.title.to_owned()/>
            <PageHead title=words.new_title/>
            <FormError error=error_of_form(error, OWN_ERRORS)/>
            <ActionForm action=create attr:id=FORM attr:class="split split--form">
                <input type="hidden" name="workspace" value=move || workspace.get().map(|id| id.to_string()).unwrap_or_default()/>
                <Card title=words.configuration>
                    <div class="card__body form"><SettingsFields initial of=SettingsOf::NewFunction error/></div>
                </Card>
                <CodeCard workspace template error/>
            </ActionForm>
            <ImportCard workspace/>
        </Page>
        <div class="action-bar" role="region" aria-label=i18n.frame.create>
            <CreatedIn/>
            <a class="button only-wide" href=list>{i18n.widgets.cancel}</a>
            <button type="submit" form=FORM class="button" aria-busy=move || create.pending().get().then_some("true")>{words.create_only}</button>
            <button type="submit" id=DEPLOY_BUTTON form=FORM name="deploy" value="yes" class="button button--primary" aria-busy=move || create.pending().get().then_some("true")>
                {words.create_and_deploy} " " <kbd class="key">"Ctrl ↵"</kbd>
            </button>
        </div>
    }
}

/// A function that was written elsewhere.
#[component]
fn ImportCard(workspace: Memo<Result<WorkspaceId, Error>>) -> impl IntoView {
    let words = &use_i18n().spin_apps;
    let action = move || {
        let path = workspace_href(&workspace.get(), "/functions/import");
        format!("/api{path}")
    };
    view! {
        <Card title=words.import_title>
            <div class="card__body form">
                <p class="second">{words.import_text}</p>
                <ImportForm action=Signal::derive(action) accept=".zip,.py" label=words.file hint=words.file_hint submit=words.import/>
            </div>
        </Card>
    }
}

#[component]
fn CreatedIn() -> impl IntoView {
    let words = &use_i18n().functions;
    let workspace = use_current_workspace().resource();
    view! {
        <span class="muted">
            <Transition>
                {move || Suspend::new(async move { workspace.await.ok().flatten().map(|workspace| (words.created_in)(workspace.name.as_str())) })}
            </Transition>
        </span>
    }
}

#[component]
fn CodeCard(
    workspace: Memo<Result<WorkspaceId, Error>>,
    template: Memo<CodeTemplate>,
    error: Signal<Option<Error>>,
) -> impl IntoView {
    let words = &use_i18n().functions;
    let state = EditorState::new(template.get_untracked().source());
    Effect::new(move |before: Option<CodeTemplate>| {
        let now = template.get();
        if before.is_some_and(|before| before != now) {
            state.load(now.source());
        }
        if let Some(before) = before {
            browser::replace_value(
                "settings-hosts",
                before.outbound_hosts(),
                now.outbound_hosts(),
            );
        }
        now
    });
    let choices = CodeTemplate::ALL
        .map(|choice| {
            let (name, text) = choice.words(words);
            let href = move || with_query(&workspace_href(&workspace.get(), "/functions/new"), &[("template", choice.key())]);
            let current = move || (template.get() == choice).then_some("true");
            view! { <a class="template" href=href aria-current=current><strong>{name}</strong><span>{text}</span></a> }
        })
        .collect_view();
    view! {
        <Card title=words.code class="fill">
            <div class="card__body form">
                <nav class="templates" aria-label=words.template>{choices}</nav>
                <FieldError id="code" error=error_of(error, "code")/>
                <CodeEditor name="code" state/>
            </div>
        </Card>
    }
}
