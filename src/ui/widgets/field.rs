//! Form fields: label above, hint below, error in its place.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::model::error::Error;
use crate::ui::editor::paint::escape;

/// What a field says about itself; the inputs' `aria-describedby` is `{id}-hint {id}-error`.
#[component]
pub fn Field(
    id: &'static str,
    #[prop(into)] label: String,
    /// Small words at the end of the label: "optional", "1–900 s".
    #[prop(optional, into)]
    note: String,
    #[prop(optional, into)] hint: Signal<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="field">
            <label class="field__label" for=id>{label} {(!note.is_empty()).then(|| view! { <small>{note}</small> })}</label>
            {children()}
            <p class="field__hint" id=format!("{id}-hint") hidden=move || hint.with(String::is_empty)>{hint}</p>
            <FieldError id error/>
        </div>
    }
}

/// The place of a field's error.
#[component]
pub fn FieldError(id: &'static str, #[prop(into)] error: Signal<Option<String>>) -> impl IntoView {
    view! {
        <div id=format!("{id}-error") role="alert">
            {move || error.get().map(|text| view! { <p class="field__error"><Icon glyph=Glyph::Alert/>{text}</p> })}
        </div>
    }
}

/// A line of text.
#[component]
pub fn TextField(
    id: &'static str,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] note: String,
    #[prop(optional, into)] hint: Signal<String>,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] required: bool,
    #[prop(optional)] autofocus: bool,
    /// For names, paths and ids.
    #[prop(optional)]
    mono: bool,
    #[prop(optional)] maxlength: Option<usize>,
    /// Follows what is typed.
    #[prop(optional)]
    typed: Option<RwSignal<String>>,
) -> impl IntoView {
    let class = if mono { "input input--mono" } else { "input" };
    view! {
        <Field id label note hint error>
            <input
                class=class
                type="text"
                id=id
                name=name
                value=value
                placeholder=placeholder
                required=required
                autofocus=autofocus
                maxlength=maxlength.map(|length| length.to_string())
                autocomplete="off"
                aria-describedby=format!("{id}-hint {id}-error")
                aria-invalid=move || error.get().is_some().then_some("true")
                on:input=move |event| {
                    if let Some(typed) = typed {
                        typed.set(event_target_value(&event));
                    }
                }
            />
        </Field>
    }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    id: &'static str,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] note: String,
    #[prop(optional, into)] hint: Signal<String>,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] mono: bool,
    #[prop(default = 3)] rows: u32,
    #[prop(optional)] maxlength: Option<usize>,
) -> impl IntoView {
    let class = if mono {
        "textarea textarea--mono"
    } else {
        "textarea"
    };
    view! {
        <Field id label note hint error>
            <textarea
                class=class
                id=id
                name=name
                placeholder=placeholder
                rows=rows.to_string()
                maxlength=maxlength.map(|length| length.to_string())
                aria-describedby=format!("{id}-hint {id}-error")
                aria-invalid=move || error.get().is_some().then_some("true")
                // As a child it would be written unescaped: the framework treats a textarea as a script.
                inner_html=escape(&value)
            ></textarea>
        </Field>
    }
}

/// The error's text when it is about this field, as the server names it.
pub fn error_of(error: Signal<Option<Error>>, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || {
        error
            .get()
            .filter(|error| error.field.as_deref() == Some(field))
            .map(|error| error.message)
    })
}

/// The error when it is about none of `fields`: shown once, above or below the form.
pub fn error_of_form(
    error: Signal<Option<Error>>,
    fields: &'static [&'static str],
) -> Signal<Option<String>> {
    Signal::derive(move || {
        error
            .get()
            .filter(|error| {
                error
                    .field
                    .as_deref()
                    .is_none_or(|field| !fields.contains(&field))
            })
            .map(|error| error.message)
    })
}
