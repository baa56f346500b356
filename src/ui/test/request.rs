//! The request to try a function with.

use leptos::form::ActionForm;
use leptos::prelude::*;
use serde_json::Value;

use crate::api::observe::{RunDraft, TestForm, TestFunction};
use crate::model::error::Error;
use crate::model::execution::{Execution, body_text};
use crate::model::function::{HttpMethod, HttpMethods};
use crate::ui::browser;
use crate::ui::editor::paint::escape;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::{Size, Weight, button_class};
use crate::ui::widgets::field::{TextArea, TextField, error_of, error_of_form};
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::notice::{FormError, action_error};

/// Request headers that are not repeated: masked where they were kept, or the caller's own business.
const LEFT_OUT: [&str; 9] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "host",
    "content-length",
    "connection",
    "user-agent",
    "accept-encoding",
];
const FIELDS: &[&str] = &["method", "path", "query", "headers", "body"];

/// The request of an earlier execution, as a form shows it.
pub fn form_of(execution: &Execution) -> TestForm {
    let header = |(name, value): &(String, String)| format!("{name}: {value}");
    let is_kept = |name: &str| {
        !LEFT_OUT.contains(&name.to_ascii_lowercase().as_str())
            && !name.to_ascii_lowercase().starts_with("spin-")
    };
    TestForm {
        method: execution.method.clone(),
        path: execution.path.clone(),
        query: execution.query.clone(),
        headers: execution
            .request_headers
            .iter()
            .filter(|(name, _)| is_kept(name))
            .map(header)
            .collect::<Vec<_>>()
            .join("\n"),
        body: execution
            .request_body
            .as_ref()
            .map(body_text)
            .unwrap_or_default(),
    }
}

/// What the form starts with for a function that was not tried yet.
pub fn first_form(methods: &HttpMethods) -> TestForm {
    TestForm {
        method: methods.iter().next().unwrap_or(HttpMethod::Get).to_string(),
        path: "/".to_owned(),
        ..TestForm::default()
    }
}

#[component]
pub fn RequestForm(
    context: FunctionContext,
    initial: TestForm,
    test: ServerAction<TestFunction>,
) -> impl IntoView {
    let words = &use_i18n().function.test;
    let error = action_error(test);
    view! {
        <section class="card fill">
            <div class="card__header"><h2>{words.request}</h2></div>
            <ActionForm action=test attr:class="card__body form">
                <RequestFields context initial error pending=test.pending().into() label=words.run/>
            </ActionForm>
        </section>
    }
}

/// The request that a draft is run with, and its code.
#[component]
pub fn DraftForm(
    context: FunctionContext,
    initial: TestForm,
    draft: ServerAction<RunDraft>,
    code: Signal<String>,
) -> impl IntoView {
    let words = &use_i18n().function.code;
    let error = action_error(draft);
    view! {
        <section class="card fill">
            <div class="card__header"><h2>{words.draft}</h2></div>
            <ActionForm action=draft attr:class="card__body form">
                <p class="muted">{words.draft_hint}</p>
                <input type="hidden" name="code" prop:value=code/>
                <RequestFields context initial error pending=draft.pending().into() label=words.draft_run body_rows=4/>
            </ActionForm>
        </section>
    }
}

#[component]
fn RequestFields(
    context: FunctionContext,
    initial: TestForm,
    error: Signal<Option<Error>>,
    pending: Signal<bool>,
    label: &'static str,
    #[prop(default = 10)] body_rows: u32,
) -> impl IntoView {
    let words = &use_i18n().function.test;
    browser::use_shortcut("Enter", || browser::click("run-test"));
    view! {
        <input type="hidden" name="workspace" value=context.workspace().to_string()/>
        <input type="hidden" name="function" value=context.function().to_string()/>
        <FormError error=error_of_form(error, FIELDS)/>
        <div class="request-line">
            <MethodAndPath context method=initial.method path=initial.path/>
            <button type="submit" id="run-test" class=button_class(Weight::Primary, Size::Medium) aria-busy=move || pending.get().then_some("true")>
                <Icon glyph=Glyph::Play/>
                {label}
                " "
                <kbd class="key">"Ctrl ↵"</kbd>
            </button>
        </div>
        <TextField id="test-query" name="request[query]" label=words.query value=initial.query mono=true hint=words.query_hint.to_owned() error=error_of(error, "query")/>
        <TextArea id="test-headers" name="request[headers]" label=words.headers value=initial.headers mono=true rows=3 hint=words.headers_hint.to_owned() error=error_of(error, "headers")/>
        <BodyField initial=initial.body rows=body_rows/>
    }
}

#[component]
fn MethodAndPath(context: FunctionContext, method: String, path: String) -> impl IntoView {
    let words = &use_i18n().function.test;
    let chosen = RwSignal::new(method.clone());
    let allowed = context.part(|detail| detail.function.http_methods.clone());
    let refused = move || {
        allowed.with(|allowed| {
            (!chosen.with(|chosen| allowed.allow(chosen)))
                .then(|| (words.method_not_allowed)(&allowed.joined()))
        })
    };
    let options = HttpMethod::ALL.map(|one| view! { <option value=one.as_str() selected=one.as_str() == method>{one.as_str()}</option> }).collect_view();
    view! {
        <span class="input-group">
            <select class="select request-line__method" name="request[method]" aria-label=words.method on:change=move |event| chosen.set(event_target_value(&event))>
                {options}
            </select>
            <input class="input input--mono" name="request[path]" value=path aria-label=words.path autocomplete="off" spellcheck="false"/>
        </span>
        <p class="field__hint warn request-line__note" role="status">{refused}</p>
    }
}

/// The body; says whether it is JSON, which any other text may be as well.
#[component]
fn BodyField(initial: String, rows: u32) -> impl IntoView {
    let words = &use_i18n().function.test;
    let area = NodeRef::<leptos::html::Textarea>::new();
    let markup = escape(&initial);
    let typed = RwSignal::new(initial);
    let verdict = move || {
        typed.with(|text| match serde_json::from_str::<Value>(text) {
            _ if text.trim().is_empty() => ("muted", words.empty_body.to_owned()),
            Ok(_) => ("ok", words.valid_json.to_owned()),
            Err(error) if text.trim_start().starts_with(['{', '[']) => {
                ("warn", (words.invalid_json)(&error.to_string()))
            }
            Err(_) => ("muted", words.text_body.to_owned()),
        })
    };
    let format = move |_| {
        if let Some(area) = area.get_untracked()
            && let Ok(value) = serde_json::from_str::<Value>(&area.value())
        {
            let text = serde_json::to_string_pretty(&value).unwrap_or_default();
            area.set_value(&text);
            typed.set(text);
        }
    };
    view! {
        <div class="editor">
            <div class="editor__bar">
                <label for="test-body">{words.body}</label>
                <span class=move || verdict().0 role="status">{move || verdict().1}</span>
                <span class="grow"></span>
                <button type="button" class=button_class(Weight::Ghost, Size::Small) on:click=format>{words.format_json}</button>
            </div>
            <textarea
                class="textarea textarea--mono textarea--bare"
                id="test-body"
                name="request[body]"
                rows=rows
                spellcheck="false"
                node_ref=area
                inner_html=markup
                on:input=move |event| typed.set(event_target_value(&event))
            ></textarea>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_repeated_without_what_was_masked() {
        let execution: Execution = serde_json::from_value(json!({
            "id": "e-1", "functionId": "fn-1", "timestamp": "2026-11-20T14:02:11+09:00", "status": "success", "duration": 1.0, "statusCode": 200,
            "requestBody": {"a": 1}, "logs": [], "level": "info", "trigger": "http", "method": "POST", "path": "/orders", "query": "page=2",
            "requestHeaders": [["Content-Type", "application/json"], ["Authorization", "***"], ["spin-path-info", "/orders"], ["X-Id", "7"]],
            "requestSize": 7, "responseSize": 0
        }))
        .expect("an execution");
        let form = form_of(&execution);
        assert_eq!(
            (
                form.method.as_str(),
                form.path.as_str(),
                form.query.as_str()
            ),
            ("POST", "/orders", "page=2")
        );
        assert_eq!(form.headers, "Content-Type: application/json\nX-Id: 7");
        assert_eq!(form.body, "{\n  \"a\": 1\n}");
    }

    #[test]
    fn the_first_request_uses_a_method_that_is_allowed() {
        let methods = HttpMethods::parse([HttpMethod::Put, HttpMethod::Get]).expect("some");
        assert_eq!(first_form(&methods).method, "PUT");
    }
}
