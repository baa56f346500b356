//! Copies a text. Only in a hydrated page: before that the text can be selected.

use leptos::prelude::*;
use std::time::Duration;

use super::button::{Size, Weight, button_class};
use super::icon::{Glyph, Icon};
use super::toast::use_toasts;
use crate::ui::browser;
use crate::ui::i18n::use_i18n;

/// How long the button says that it copied.
const SAID: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyLook {
    #[default]
    Icon,
    IconAndWord,
}

#[component]
pub fn CopyButton(
    #[prop(into)] text: Signal<String>,
    /// What is copied, for those who do not see where the button stands: "Copy the address".
    #[prop(into)]
    label: String,
    #[prop(optional)] look: CopyLook,
) -> impl IntoView {
    let words = &use_i18n().widgets;
    let toasts = use_toasts();
    let copied = RwSignal::new(false);
    let copy = move |_| {
        if browser::copy_text(&text.get_untracked()) {
            copied.set(true);
            set_timeout(move || _ = copied.try_set(false), SAID);
        } else {
            toasts.failed(words.copy_refused.to_owned());
        }
    };
    let class = match look {
        CopyLook::Icon => format!(
            "{} button--icon needs-script",
            button_class(Weight::Ghost, Size::Small)
        ),
        CopyLook::IconAndWord => {
            format!("{} needs-script", button_class(Weight::Plain, Size::Small))
        }
    };
    view! {
        <button type="button" class=class aria-label=label on:click=copy>
            {move || view! { <Icon glyph=if copied.get() { Glyph::Check } else { Glyph::Copy }/> }}
            {(look == CopyLook::IconAndWord).then_some(move || if copied.get() { words.copied } else { words.copy })}
            <span class="sr" role="status">{move || copied.get().then_some(words.copied)}</span>
        </button>
    }
}
