//! Buttons and links that look like buttons. Text = verb + thing.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// How much a button asks to be pressed. One primary a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    #[default]
    Plain,
    Primary,
    Ghost,
    /// Solid red: only in a dialog.
    Danger,
    /// Red words on a page.
    DangerQuiet,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    Small,
    #[default]
    Medium,
}

/// The class of a button, for elements that are made by hand.
pub fn button_class(weight: Weight, size: Size) -> String {
    let weight = match weight {
        Weight::Plain => "",
        Weight::Primary => " button--primary",
        Weight::Ghost => " button--ghost",
        Weight::Danger => " button--danger",
        Weight::DangerQuiet => " button--danger-quiet",
    };
    let size = match size {
        Size::Small => " button--s",
        Size::Medium => "",
    };
    format!("button{weight}{size}")
}

/// Submits the form it stands in. `name` and `value` say which of several buttons was pressed.
#[component]
pub fn SubmitButton(
    #[prop(into)] label: String,
    #[prop(optional)] weight: Weight,
    #[prop(optional)] size: Size,
    #[prop(optional)] glyph: Option<Glyph>,
    #[prop(optional)] name: Option<&'static str>,
    #[prop(optional)] value: Option<&'static str>,
    /// While the action runs: the label stays, a second press does nothing.
    #[prop(optional, into)]
    busy: Signal<bool>,
    #[prop(optional)] id: Option<&'static str>,
) -> impl IntoView {
    view! {
        <button type="submit" id=id class=button_class(weight, size) name=name value=value aria-busy=move || busy.get().then_some("true")>
            {glyph.map(|glyph| view! { <Icon glyph/> })}
            {label}
        </button>
    }
}

/// A link that looks like a button.
#[component]
pub fn LinkButton(
    #[prop(into)] href: String,
    #[prop(into)] label: String,
    #[prop(optional)] weight: Weight,
    #[prop(optional)] size: Size,
    #[prop(optional)] glyph: Option<Glyph>,
) -> impl IntoView {
    view! {
        <a class=button_class(weight, size) href=href>
            {glyph.map(|glyph| view! { <Icon glyph/> })}
            {label}
        </a>
    }
}
