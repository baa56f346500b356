//! Toasts: outcomes at the bottom right. A success leaves after 5 s, a failure stays until it is dismissed.

use leptos::prelude::*;
use std::time::Duration;

use super::icon::{Glyph, Icon};
use crate::ui::i18n::use_i18n;

const SHOWN: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Toast {
    number: u64,
    failed: bool,
    text: String,
}

#[derive(Clone, Debug, Default)]
struct Shown {
    last: u64,
    toasts: Vec<Toast>,
}

/// Where toasts are put; only from event handlers and effects.
#[derive(Clone, Copy)]
pub struct Toasts(RwSignal<Shown>);

impl Toasts {
    pub fn succeeded(self, text: String) {
        let number = self.show(false, text);
        set_timeout(move || self.dismiss(number), SHOWN);
    }

    pub fn failed(self, text: String) {
        self.show(true, text);
    }

    fn show(self, failed: bool, text: String) -> u64 {
        self.0.update(|shown| {
            shown.last += 1;
            shown.toasts.push(Toast {
                number: shown.last,
                failed,
                text,
            });
        });
        self.0.with_untracked(|shown| shown.last)
    }

    fn dismiss(self, number: u64) {
        self.0
            .update(|shown| shown.toasts.retain(|toast| toast.number != number));
    }
}

pub fn provide_toasts() {
    provide_context(Toasts(RwSignal::new(Shown::default())));
}

pub fn use_toasts() -> Toasts {
    use_context().unwrap_or_else(|| Toasts(RwSignal::new(Shown::default())))
}

/// Where toasts appear; once, in the frame.
#[component]
pub fn ToastRegion() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || toasts.0.get().toasts key=|toast| toast.number let:toast>
                <ToastView toast/>
            </For>
        </div>
    }
}

#[component]
fn ToastView(toast: Toast) -> impl IntoView {
    let toasts = use_toasts();
    let (class, glyph) = if toast.failed {
        ("toast toast--danger", Glyph::Alert)
    } else {
        ("toast toast--success", Glyph::Check)
    };
    let dismiss = move |_| toasts.dismiss(toast.number);
    view! {
        <div class=class>
            <Icon glyph/>
            <div class="grow">{toast.text}</div>
            <button type="button" class="button button--ghost button--icon button--s" aria-label=use_i18n().widgets.dismiss on:click=dismiss><Icon glyph=Glyph::Close/></button>
        </div>
    }
}
