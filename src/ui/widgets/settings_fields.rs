//! The settings of a function as form fields, named as `SettingsForm` expects: for a new function and for the Settings tab.

use leptos::prelude::*;

use super::field::{Field, FieldError, TextArea, TextField, error_of};
use super::icon::{Glyph, Icon};
use crate::api::functions::{EnvironmentRow, SettingsForm};
use crate::model::deployment::AppName;
use crate::model::error::Error;
use crate::model::function::{Function, HttpMethod, RUNTIME, SlotReuse};
use crate::model::workspace::{MAX_DESCRIPTION, MAX_NAME};
use crate::ui::i18n::use_i18n;

/// The methods offered; another one that a function has is offered too.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];
/// MB offered; another value that a function has is offered too.
const MEMORY: [&str; 4] = ["128", "256", "512", "1024"];

/// The fields whose errors [`SettingsFields`] shows in their place, for `error_of_form`.
pub const SETTINGS_FIELDS: &[&str] = &[
    "name",
    "description",
    "httpMethods",
    "memory",
    "timeout",
    "environmentVariables",
    "allowedOutboundHosts",
    "instanceReuse",
    "invocationUrl",
];

/// What a new function starts with.
pub fn new_settings() -> SettingsForm {
    SettingsForm {
        methods: vec!["GET".to_owned(), "POST".to_owned()],
        memory: "256".to_owned(),
        timeout: "30".to_owned(),
        ..SettingsForm::default()
    }
}

/// A function's settings as the form shows them.
pub fn settings_of(function: &Function) -> SettingsForm {
    SettingsForm {
        name: function.name.to_string(),
        description: function
            .description
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        methods: function
            .http_methods
            .iter()
            .map(|method| method.to_string())
            .collect(),
        memory: function.memory.megabytes().to_string(),
        timeout: function.timeout.seconds().to_string(),
        environment: function
            .environment_variables
            .iter()
            .map(|(name, value)| EnvironmentRow {
                name: name.to_owned(),
                value: value.to_owned(),
            })
            .collect(),
        environment_block: String::new(),
        allowed_outbound_hosts: function
            .allowed_outbound_hosts
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
        reuse: if function.instance_reuse.is_none() {
            String::new()
        } else {
            "yes".to_owned()
        },
        reuse_max_requests: reuse_bound(function, SlotReuse::max_requests),
        reuse_max_age: reuse_bound(function, SlotReuse::max_age),
        invocation_url: function.invocation_url.clone().unwrap_or_default(),
        deploy_on_save: if function.deploy_on_save {
            "yes".to_owned()
        } else {
            String::new()
        },
    }
}

fn reuse_bound(function: &Function, bound: fn(SlotReuse) -> u32) -> String {
    let slot = function.instance_reuse.slot();
    slot.map(bound)
        .map_or_else(String::new, |bound| bound.to_string())
}

/// Whose settings the fields are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsOf {
    /// The hint of the name says what the app name will be.
    NewFunction,
    /// The invocation URL can be set as well.
    ExistingFunction,
}

#[component]
pub fn SettingsFields(
    initial: SettingsForm,
    of: SettingsOf,
    #[prop(into)] error: Signal<Option<Error>>,
) -> impl IntoView {
    let words = &use_i18n().functions;
    let name = RwSignal::new(initial.name.clone());
    let app_name = Signal::derive(move || match of {
        SettingsOf::ExistingFunction => String::new(),
        SettingsOf::NewFunction => name.with(|name| match AppName::from_text(name) {
            Some(app_name) => (words.app_name_hint)(app_name.as_str()),
            None if name.trim().is_empty() => words.app_name_empty.to_owned(),
            None => words.app_name_chosen.to_owned(),
        }),
    });
    let invocation_url = (of == SettingsOf::ExistingFunction).then(|| {
        view! {
            <TextField
                id="settings-url"
                name="settings[invocation_url]"
                label=words.invocation_url
                note=use_i18n().widgets.optional
                value=initial.invocation_url
                mono=true
                hint=words.invocation_url_hint.to_owned()
                error=error_of(error, "invocationUrl")
            />
        }
    });
    let reuse = Reuse {
        is_on: initial.reuse == "yes",
        max_requests: initial.reuse_max_requests,
        max_age: initial.reuse_max_age,
    };
    view! {
        <TextField
            id="settings-name"
            name="settings[name]"
            label=words.name
            value=initial.name
            required=true
            maxlength=MAX_NAME
            hint=app_name
            typed=name
            autofocus=of == SettingsOf::NewFunction
            error=error_of(error, "name")
        />
        <TextArea
            id="settings-description"
            name="settings[description]"
            label=words.description
            note=use_i18n().widgets.optional
            value=initial.description
            rows=2
            maxlength=MAX_DESCRIPTION
            placeholder=words.description_placeholder
            error=error_of(error, "description")
        />
        <div class="field">
            <span class="field__label">{words.runtime}</span>
            <div class="row second">{RUNTIME} <span class="muted">{words.runtime_note}</span></div>
        </div>
        <MethodChips chosen=initial.methods error=error_of(error, "httpMethods")/>
        <MemoryChoice chosen=initial.memory error=error_of(error, "memory")/>
        <Field id="settings-timeout" label=words.timeout note=words.timeout_note error=error_of(error, "timeout")>
            <span class="input-group input-group--short">
                <input
                    class="input"
                    id="settings-timeout"
                    name="settings[timeout]"
                    type="number"
                    min="1"
                    max="900"
                    required
                    value=initial.timeout
                    aria-describedby="settings-timeout-error"
                />
                <span class="input-group__unit">{words.seconds}</span>
            </span>
        </Field>
        <hr/>
        <EnvironmentRows rows=initial.environment error=error_of(error, "environmentVariables")/>
        <TextArea
            id="settings-hosts"
            name="settings[allowed_outbound_hosts]"
            label=words.outbound_hosts
            note=use_i18n().widgets.optional
            value=initial.allowed_outbound_hosts
            rows=2
            mono=true
            placeholder="https://api.example.com"
            hint=words.outbound_hosts_hint.to_owned()
            error=error_of(error, "allowedOutboundHosts")
        />
        <ReuseFields initial=reuse error=error_of(error, "instanceReuse")/>
        {invocation_url}
        <div class="field">
            <label class="check">
                <input type="checkbox" name="settings[deploy_on_save]" value="yes" checked=initial.deploy_on_save == "yes" aria-describedby="settings-deploy-hint"/>
                {words.deploy_on_save}
            </label>
            <p class="field__hint" id="settings-deploy-hint">{words.deploy_on_save_hint}</p>
        </div>
    }
}

#[component]
fn MethodChips(chosen: Vec<String>, error: Signal<Option<String>>) -> impl IntoView {
    let more = HttpMethod::ALL
        .into_iter()
        .map(HttpMethod::as_str)
        .filter(|method| !METHODS.contains(method) && chosen.iter().any(|text| text == method));
    let chips = METHODS
        .into_iter()
        .chain(more)
        .map(|method| {
            let checked = chosen.iter().any(|text| text == method);
            view! { <label class="chip"><input type="checkbox" name="settings[methods][]" value=method checked=checked/><Icon glyph=Glyph::Check/>{method}</label> }
        })
        .collect_view();
    view! {
        <fieldset class="field">
            <legend class="field__label field__label--legend">{use_i18n().functions.methods}</legend>
            <div class="chips">{chips}</div>
            <FieldError id="settings-methods" error/>
        </fieldset>
    }
}

#[component]
fn MemoryChoice(chosen: String, error: Signal<Option<String>>) -> impl IntoView {
    let own = (!MEMORY.contains(&chosen.as_str())).then(|| chosen.clone());
    let choices = MEMORY
        .into_iter()
        .map(str::to_owned)
        .chain(own)
        .map(|value| {
            let checked = value == chosen;
            view! { <label><input type="radio" name="settings[memory]" value=value.clone() checked=checked/>{value}</label> }
        })
        .collect_view();
    view! {
        <fieldset class="field">
            <legend class="field__label field__label--legend">{use_i18n().functions.memory} " " <small>"MB"</small></legend>
            <div class="segmented segmented--m segmented--block">{choices}</div>
            <FieldError id="settings-memory" error/>
        </fieldset>
    }
}

/// What the form starts with.
struct Reuse {
    is_on: bool,
    max_requests: String,
    max_age: String,
}

#[component]
fn ReuseFields(initial: Reuse, error: Signal<Option<String>>) -> impl IntoView {
    let words = &use_i18n().functions;
    let default = SlotReuse::DEFAULT;
    let bound = |name: &'static str, label: &'static str, value: String, default: u32| {
        view! {
            <label class="field">
                <span class="field__label">{label}</span>
                <input class="input input--number" type="number" min="1" name=format!("settings[{name}]") value=value placeholder=default.to_string() inputmode="numeric"/>
            </label>
        }
    };
    view! {
        <fieldset class="field">
            <legend class="field__label field__label--legend">{words.reuse}</legend>
            <label class="check">
                <input type="checkbox" name="settings[reuse]" value="yes" checked=initial.is_on aria-describedby="settings-reuse-hint"/>
                {words.reuse_on}
            </label>
            <p class="field__hint" id="settings-reuse-hint">{words.reuse_hint}</p>
            <div class="row row--wrap">
                {bound("reuse_max_requests", words.reuse_max_requests, initial.max_requests, default.max_requests())}
                {bound("reuse_max_age", words.reuse_max_age, initial.max_age, default.max_age())}
            </div>
            <FieldError id="settings-reuse" error/>
        </fieldset>
    }
}

/// Rows of name and value, one of them empty, so that a variable can be added without JavaScript; more come with it.
#[component]
fn EnvironmentRows(rows: Vec<EnvironmentRow>, error: Signal<Option<String>>) -> impl IntoView {
    let words = &use_i18n().functions;
    let count = rows.len() + 1;
    let numbered: Vec<(usize, EnvironmentRow)> = rows
        .into_iter()
        .chain([EnvironmentRow::default()])
        .enumerate()
        .collect();
    let next = StoredValue::new(count);
    let rows = RwSignal::new(numbered);
    let add = move |_| {
        let index = next.get_value();
        next.set_value(index + 1);
        rows.update(|rows| rows.push((index, EnvironmentRow::default())));
    };
    let remove = move |index: usize| rows.update(|rows| rows.retain(|(own, _)| *own != index));
    view! {
        <fieldset class="field">
            <legend class="field__label field__label--legend">{words.environment}</legend>
            <div class="kv">
                <For each=move || rows.get() key=|(index, _)| *index let:row>
                    <EnvironmentRowFields index=row.0 row=row.1 remove=move || remove(row.0)/>
                </For>
            </div>
            <FieldError id="settings-environment" error/>
            <div><button type="button" class="button button--s needs-script" on:click=add><Icon glyph=Glyph::Plus/>{words.add_variable}</button></div>
            <details class="more">
                <summary><Icon glyph=Glyph::Right/>{words.paste_env}</summary>
                <textarea class="textarea textarea--mono" name="settings[environment_block]" rows="4" placeholder="NAME=value" aria-label=words.paste_env></textarea>
            </details>
        </fieldset>
    }
}

#[component]
fn EnvironmentRowFields(
    index: usize,
    row: EnvironmentRow,
    remove: impl Fn() + 'static,
) -> impl IntoView {
    let words = &use_i18n().functions;
    let number = index + 1;
    view! {
        <div class="kv__row kv__row--plain">
            <input class="input input--mono" name=format!("settings[environment][{index}][name]") value=row.name placeholder="NAME" aria-label=(words.variable_name)(number) autocomplete="off" spellcheck="false"/>
            <input class="input input--mono" name=format!("settings[environment][{index}][value]") value=row.value aria-label=(words.variable_value)(number) autocomplete="off" spellcheck="false"/>
            <button type="button" class="button button--ghost button--icon needs-script" aria-label=(words.remove_variable)(number) on:click=move |_| remove()><Icon glyph=Glyph::Close/></button>
        </div>
    }
}
