//! Banners: what is true about the place they stand in.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::model::error::{Error, ErrorKind};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Info,
    Warn,
    Danger,
}

/// The children are words, with the first few in `<strong>`; `action` is what to do about it.
#[component]
pub fn Banner(
    #[prop(optional)] tone: Tone,
    #[prop(optional, into)] action: ViewFnOnce,
    children: Children,
) -> impl IntoView {
    let (class, glyph, role) = match tone {
        Tone::Info => ("banner", Glyph::Info, None),
        Tone::Warn => ("banner banner--warn", Glyph::Alert, None),
        Tone::Danger => ("banner banner--danger", Glyph::Alert, Some("alert")),
    };
    view! {
        <div class=class role=role>
            <Icon glyph/>
            <div class="grow">{children()}</div>
            {action.run()}
        </div>
    }
}

/// What failed of a form, when it is about no single field.
#[component]
pub fn FormError(#[prop(into)] error: Signal<Option<String>>) -> impl IntoView {
    view! {
        <div role="alert">
            {move || {
                error
                    .get()
                    .map(|text| {
                        view! {
                            <div class="banner banner--danger">
                                <Icon glyph=Glyph::Alert/>
                                <div class="grow">{text}</div>
                            </div>
                        }
                    })
            }}
        </div>
    }
}

/// What [`FormError`] says of an action: its last failure, whatever field that is about.
pub fn action_failure<S>(action: ServerAction<S>) -> Signal<Option<String>>
where
    S: leptos::server_fn::ServerFn<Error = Error> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    let error = action_error(action);
    Signal::derive(move || error.get().map(|error| error.message))
}

/// Whether somebody else saved first, and the last failure that is another one.
pub fn conflict_or_error<S>(action: ServerAction<S>) -> (Memo<bool>, Signal<Option<Error>>)
where
    S: leptos::server_fn::ServerFn<Error = Error> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    let error = action_error(action);
    let is_conflict = |error: &Error| error.kind == ErrorKind::PreconditionFailed;
    (
        Memo::new(move |_| error.with(|error| error.as_ref().is_some_and(is_conflict))),
        Signal::derive(move || error.get().filter(|error| !is_conflict(error))),
    )
}

/// The last failure of a server action, also after a form was sent without JavaScript.
pub fn action_error<S>(action: ServerAction<S>) -> Signal<Option<Error>>
where
    S: leptos::server_fn::ServerFn<Error = Error> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    let value = action.value();
    Signal::derive(move || {
        value.with(|value| {
            value
                .as_ref()
                .and_then(|result| result.as_ref().err().cloned())
        })
    })
}
