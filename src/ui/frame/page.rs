//! The part of a page that every page has: its main region, its title, its head.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::ui::i18n::use_i18n;
use crate::ui::widgets::icon::{Glyph, Icon};

/// The main region, and the document's title: `title` names the page, the product is added.
#[component]
pub fn Page(#[prop(into)] title: Signal<String>, children: Children) -> impl IntoView {
    let full = move || title.with(|title| (use_i18n().frame.title)(title));
    view! {
        <Title text=full/>
        <main class="page" id="main" tabindex="-1">{children()}</main>
    }
}

/// The way up on a small screen, where the header has no room for the path.
#[component]
pub fn BackLink(
    #[prop(into)] href: Signal<String>,
    #[prop(into)] label: Signal<String>,
) -> impl IntoView {
    view! { <a class="back" href=href><Icon glyph=Glyph::Left/>{label}</a> }
}

/// The page's heading and its one primary action.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    #[prop(optional, into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="page__head">
            <div>
                <h1>{title}</h1>
                {(!text.is_empty()).then(|| view! { <p>{text}</p> })}
            </div>
            {children.map(|children| view! { <div class="page__actions">{children()}</div> })}
        </div>
    }
}
