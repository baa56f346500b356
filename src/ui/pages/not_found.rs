//! An address that names nothing.

use leptos::prelude::*;

use crate::ui::frame::Page;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::LinkButton;
use crate::ui::widgets::empty_state::EmptyState;

#[component]
pub fn NotFound() -> impl IntoView {
    let words = &use_i18n().frame;
    view! {
        <Page title=words.not_found_title.to_owned()>
            <h1 class="sr">{words.not_found_title}</h1>
            <EmptyState title=words.not_found_title text=words.not_found_text>
                <LinkButton href="/" label=words.not_found_back/>
            </EmptyState>
        </Page>
    }
}
