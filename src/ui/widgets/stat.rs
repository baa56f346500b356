//! A strip of figures, at most six.

use leptos::prelude::*;

#[component]
pub fn Stats(children: Children) -> impl IntoView {
    view! { <div class="stats">{children()}</div> }
}

/// One figure: what it is, the number, its unit, and a word on it.
#[component]
pub fn Stat(
    #[prop(into)] label: String,
    #[prop(into)] value: String,
    #[prop(optional, into)] unit: String,
    #[prop(optional, into)] note: String,
) -> impl IntoView {
    view! {
        <div class="stat">
            <span class="stat__label">{label}</span>
            <span class="stat__value">{value}{(!unit.is_empty()).then(|| view! { <small>{unit}</small> })}</span>
            <span class="stat__note">{note}</span>
        </div>
    }
}
