//! The settings of a deployment. Only what this server's platform takes is asked for.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::cluster_fields::ClusterFields;
use super::manifest::ManifestPreview;
use crate::api::builds::DeployFunction;
use crate::model::deployment::AppName;
use crate::model::error::Error;
use crate::model::function::FunctionStatus;
use crate::model::platform::PlatformKind;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::{SubmitButton, Weight};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::field::{TextField, error_of, error_of_form};
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::notice::{FormError, action_error};

/// The fields whose errors stand in their place.
const FIELDS: &[&str] = &[
    "app_name",
    "namespace",
    "registry_url",
    "tag",
    "replicas",
    "service_account",
    "cpu_limit",
    "memory_limit",
    "cpu_request",
    "memory_request",
    "custom_tolerations",
    "custom_affinity",
];

#[component]
pub fn DeploySettings(
    context: FunctionContext,
    deploy: ServerAction<DeployFunction>,
    manifest: Resource<Result<String, Error>>,
) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let error = action_error(deploy);
    let app_name = context.detail.with_untracked(|detail| {
        detail
            .function
            .app_name
            .clone()
            .unwrap_or_else(|| detail.suggested_app_name.clone())
            .to_string()
    });
    let platform = context.detail.with_untracked(|detail| detail.platform);
    let namespace = context
        .detail
        .with_untracked(|detail| detail.default_namespace.to_string());
    let is_embedded = platform == PlatformKind::Embedded;
    let typed = RwSignal::new(app_name.clone());
    let hint = Signal::derive(move || {
        typed.with(|typed| {
            AppName::from_text(typed).map_or_else(
                || words.app_name_hint.to_owned(),
                |name| format!("{} {}", words.deployed_as, platform.app_name(&name)),
            )
        })
    });
    let disabled = context.part(|detail| detail.function.status == FunctionStatus::Disabled);
    view! {
        <Card title=words.settings>
            <ActionForm action=deploy attr:class="card__body form">
                <input type="hidden" name="workspace" value=context.workspace().to_string()/>
                <input type="hidden" name="function" value=context.function().to_string()/>
                <FormError error=error_of_form(error, FIELDS)/>
                <TextField id="deploy-app" name="options[app_name]" label=words.app_name value=app_name mono=true hint typed error=error_of(error, "app_name")/>
                <TextField id="deploy-namespace" name="options[namespace]" label=words.namespace value=namespace mono=true error=error_of(error, "namespace")/>
                {(!is_embedded).then(|| view! { <ClusterFields context error/> })}
                <details class="more" open=move || error.with(|error| error.as_ref().is_some_and(|error| matches!(error.field.as_deref(), Some("registry_url" | "tag"))))>
                    <summary><Icon glyph=Glyph::Right/>{words.registry_section}</summary>
                    <div class="form">
                        <TextField id="deploy-registry" name="options[registry_url]" label=words.registry mono=true hint=words.registry_hint.to_owned() error=error_of(error, "registry_url")/>
                        <TextField id="deploy-tag" name="options[tag]" label=words.tag mono=true hint=words.tag_hint.to_owned() error=error_of(error, "tag")/>
                    </div>
                </details>
                <label class="check"><input type="checkbox" name="options[build_only]" value="yes"/>{words.build_only}</label>
                {is_embedded.then(|| view! { <p class="field__hint">{words.embedded_note}</p> })}
                {move || disabled.get().then(|| view! { <p class="field__hint warn">{words.disabled_note}</p> })}
                <SubmitDeploy context deploy/>
            </ActionForm>
            <div class="card__body"><ManifestPreview manifest/></div>
        </Card>
    }
}

/// Says what it would do; while a build runs there is nothing to press.
#[component]
fn SubmitDeploy(context: FunctionContext, deploy: ServerAction<DeployFunction>) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let running = context.part(|detail| {
        detail
            .latest_task
            .as_ref()
            .filter(|task| !task.status.is_terminal())
            .map(crate::ui::build::task_name)
    });
    let label = context.part(move |detail| {
        match (
            detail.function.deployed_version,
            detail.function.undeployed_changes,
        ) {
            (None, _) => words.submit_deploy,
            (Some(_), true) => words.submit_changes,
            (Some(_), false) => words.submit_again,
        }
    });
    move || {
        match running.get() {
        Some(name) => view! { <button type="button" class="button button--block" disabled>{(words.submit_running)(&name)}</button> }.into_any(),
        None => view! { <SubmitButton label=label.get() weight=Weight::Primary glyph=Glyph::Deploy busy=deploy.pending()/> }.into_any(),
    }
    }
}
