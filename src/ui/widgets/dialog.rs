//! A dialog with an address: the server renders it open, the browser makes it modal, closing is a link.

use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use super::icon::{Glyph, Icon};
use crate::ui::browser;
use crate::ui::i18n::use_i18n;

/// The children are a form, or a `dialog__body` and a `dialog__footer`.
#[component]
pub fn Dialog(
    #[prop(into)] title: String,
    /// The address without the dialog.
    #[prop(into)]
    close: String,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = node.get() {
            browser::show_modal(&dialog);
        }
    });
    let navigate = use_navigate();
    let target = close.clone();
    let cancel = move |event: leptos::ev::Event| {
        event.prevent_default();
        navigate(
            &target,
            leptos_router::NavigateOptions {
                scroll: false,
                ..Default::default()
            },
        );
    };
    view! {
        <div class="scrim">
            <dialog class="dialog" open aria-labelledby="dialog-title" node_ref=node on:cancel=cancel>
                <div class="dialog__header">
                    <h2 id="dialog-title">{title}</h2>
                    <a class="button button--ghost button--icon" href=close aria-label=use_i18n().widgets.close><Icon glyph=Glyph::Close/></a>
                </div>
                {children()}
            </dialog>
        </div>
    }
}
