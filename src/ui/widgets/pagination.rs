//! Links to other pages of a list.

use leptos::prelude::*;

use super::button::{Size, Weight, button_class};
use crate::ui::i18n::use_i18n;

/// `summary` says what is shown, as in "1–25 of 312". A missing address means that there is no such page.
#[component]
pub fn Pagination(
    #[prop(into)] summary: String,
    previous: Option<String>,
    next: Option<String>,
) -> impl IntoView {
    let words = &use_i18n().widgets;
    view! {
        <nav class="pagination" aria-label=words.pages>
            <span>{summary}</span>
            <PageLink href=previous label=words.previous rel="prev"/>
            <PageLink href=next label=words.next rel="next"/>
        </nav>
    }
}

#[component]
fn PageLink(href: Option<String>, label: &'static str, rel: &'static str) -> impl IntoView {
    let disabled = href.is_none().then_some("true");
    view! { <a class=button_class(Weight::Plain, Size::Small) href=href rel=rel aria-disabled=disabled role=disabled.map(|_| "link")>{label}</a> }
}

/// Links through a list that goes on by a cursor: back to its start, and on to what is older.
#[component]
pub fn Older(newest: Option<String>, older: Option<String>) -> impl IntoView {
    let words = &use_i18n().widgets;
    view! {
        <nav class="pagination" aria-label=words.pages>
            <span></span>
            <PageLink href=newest label=words.newest rel="start"/>
            <PageLink href=older label=words.older rel="next"/>
        </nav>
    }
}
