//! What a deployment to a cluster asks for besides.

use leptos::prelude::*;

use crate::model::deployment::DeployOptions;
use crate::model::error::Error;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::field::{Field, TextArea, TextField, error_of};
use crate::ui::widgets::icon::{Glyph, Icon};

const RESOURCES: &[&str] = &["cpu_limit", "memory_limit", "cpu_request", "memory_request"];
const ADVANCED: &[&str] = &["service_account", "custom_tolerations", "custom_affinity"];

/// Filled with how what serves was deployed.
#[component]
pub fn ClusterFields(context: FunctionContext, error: Signal<Option<Error>>) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let (options, memory) = context.detail.with_untracked(|detail| {
        let memory = detail.function.memory.megabytes();
        (detail.deploy_options.clone(), memory)
    });
    let use_spot = options.use_spot;
    let (scaling, resources) = (options.clone(), options.clone());
    view! {
        <ScalingFields options=scaling error/>
        <Field id="deploy-spot" label=words.spot>
            <select class="select" id="deploy-spot" name="options[cluster][spot]" aria-describedby="deploy-spot-hint deploy-spot-error">
                <option value="first" selected=use_spot>{words.spot_first}</option>
                <option value="any" selected=!use_spot>{words.spot_any}</option>
            </select>
        </Field>
        <p class="field__hint warn">{words.spot_warning}</p>
        <Section title=words.resources_section fields=RESOURCES error>
            <ResourceFields options=resources memory error/>
        </Section>
        <Section title=words.advanced_section fields=ADVANCED error>
            <AdvancedFields options error/>
        </Section>
        <p class="field__hint">{words.cluster_note}</p>
    }
}

/// Open when one of its fields is wrong.
#[component]
fn Section(
    title: &'static str,
    fields: &'static [&'static str],
    error: Signal<Option<Error>>,
    children: Children,
) -> impl IntoView {
    let is_wrong = move || {
        let field = error.with(|error| error.as_ref().and_then(|error| error.field.clone()));
        field.is_some_and(|field| fields.contains(&field.as_str()))
    };
    view! {
        <details class="more" open=is_wrong>
            <summary><Icon glyph=Glyph::Right/>{title}</summary>
            <div class="form">{children()}</div>
        </details>
    }
}

#[component]
fn ScalingFields(options: DeployOptions, error: Signal<Option<Error>>) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let replicas = options.replicas.map(|count| count.to_string());
    let error = error_of(error, "replicas");
    view! {
        <Field id="deploy-scaling" label=words.scaling>
            <select
                class="select"
                id="deploy-scaling"
                name="options[cluster][scaling]"
                aria-describedby="deploy-scaling-hint deploy-scaling-error"
            >
                <option value="auto" selected=options.enable_autoscaling>{words.scaling_auto}</option>
                <option value="fixed" selected=!options.enable_autoscaling>{words.scaling_fixed}</option>
            </select>
        </Field>
        <Field id="deploy-replicas" label=words.replicas hint=words.replicas_hint.to_owned() error>
            <input
                class="input input--number"
                type="number"
                min="1"
                max="100"
                id="deploy-replicas"
                name="options[cluster][replicas]"
                value=replicas
                placeholder="1"
                inputmode="numeric"
                aria-describedby="deploy-replicas-hint deploy-replicas-error"
            />
        </Field>
    }
}

#[component]
fn ResourceFields(
    options: DeployOptions,
    memory: u32,
    error: Signal<Option<Error>>,
) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let value = |text: Option<String>| text.unwrap_or_default();
    view! {
        <TextField id="deploy-cpu-limit" name="options[cluster][cpu_limit]" label=words.cpu_limit value=value(options.cpu_limit) mono=true hint=(words.quantity_default)("500m") error=error_of(error, "cpu_limit")/>
        <TextField id="deploy-memory-limit" name="options[cluster][memory_limit]" label=words.memory_limit value=value(options.memory_limit) mono=true hint=(words.memory_default)(memory) error=error_of(error, "memory_limit")/>
        <TextField id="deploy-cpu-request" name="options[cluster][cpu_request]" label=words.cpu_request value=value(options.cpu_request) mono=true hint=(words.quantity_default)("100m") error=error_of(error, "cpu_request")/>
        <TextField id="deploy-memory-request" name="options[cluster][memory_request]" label=words.memory_request value=value(options.memory_request) mono=true hint=words.memory_request_default.to_owned() error=error_of(error, "memory_request")/>
    }
}

#[component]
fn AdvancedFields(options: DeployOptions, error: Signal<Option<Error>>) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let json = |value: Option<serde_json::Value>| {
        let text = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
        text.unwrap_or_default()
    };
    view! {
        <TextField id="deploy-account" name="options[cluster][service_account]" label=words.service_account value=options.service_account.unwrap_or_default() mono=true hint=words.service_account_hint.to_owned() error=error_of(error, "service_account")/>
        <TextArea id="deploy-tolerations" name="options[cluster][custom_tolerations]" label=words.tolerations value=json(options.custom_tolerations) mono=true hint=words.tolerations_hint.to_owned() error=error_of(error, "custom_tolerations")/>
        <TextArea id="deploy-affinity" name="options[cluster][custom_affinity]" label=words.affinity value=json(options.custom_affinity) mono=true hint=words.affinity_hint.to_owned() error=error_of(error, "custom_affinity")/>
    }
}
