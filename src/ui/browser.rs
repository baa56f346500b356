//! The one place for `web_sys`. Everything here acts in effects and event handlers only, never while rendering, so that
//! server and browser render the same.

use leptos::ev;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{HtmlDialogElement, HtmlElement, KeyboardEvent, MouseEvent};

use crate::model::time::Timestamp;

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since the epoch: the standard library has no clock in the browser.
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;

    /// Out of the standard, in every browser, and the only way to change a textarea that its undo knows.
    #[wasm_bindgen(js_namespace = document, js_name = execCommand)]
    fn exec_command(command: &str, show_interface: bool, value: &str) -> bool;
}

/// The browser's clock; only in effects and event handlers.
pub fn now() -> Timestamp {
    Timestamp::from_micros((date_now() * 1_000.0) as i64)
}

/// Sets `data-hydrated` on the body once the page answers to the user.
pub fn mark_hydrated() {
    if let Some(body) = document().body() {
        // A page without the mark still works; only tests wait for it.
        _ = body.dataset().set("hydrated", "true");
    }
}

/// Whether the view that asks answers to the user: those of a lazy page do so later than the frame around them.
pub fn use_hydrated() -> Signal<bool> {
    let hydrated = RwSignal::new(false);
    Effect::new(move |_| hydrated.set(true));
    hydrated.into()
}

/// Whether the page is in a background tab: nothing needs refreshing then.
pub fn is_hidden() -> bool {
    document().hidden()
}

/// Calls `tick` every `period` while the component lives and the tab is visible.
pub fn use_interval(period: Duration, tick: impl Fn() + Clone + 'static) {
    Effect::new(move |_| {
        let tick = tick.clone();
        let visible_tick = move || {
            if !is_hidden() {
                tick();
            }
        };
        if let Ok(handle) = set_interval_with_handle(visible_tick, period) {
            on_cleanup(move || handle.clear());
        }
    });
}

/// Calls `listener` for every key pressed anywhere in the page while the component lives.
pub fn use_keydown(listener: impl Fn(KeyboardEvent) + Clone + 'static) {
    Effect::new(move |_| {
        let handle = window_event_listener(ev::keydown, listener.clone());
        on_cleanup(move || handle.remove());
    });
}

/// Calls `action` for Ctrl (⌘ on a Mac) and `key`, as in `s` or `Enter`, instead of what the browser would do.
pub fn use_shortcut(key: &'static str, action: impl Fn() + Clone + 'static) {
    use_keydown(move |event| {
        if is_shortcut(&event, key) {
            event.prevent_default();
            action();
        }
    });
}

/// Whether the event is Ctrl (⌘ on a Mac) and `key` alone; not while an input method composes.
pub fn is_shortcut(event: &KeyboardEvent, key: &str) -> bool {
    (event.ctrl_key() || event.meta_key())
        && !event.alt_key()
        && !event.shift_key()
        && !event.is_composing()
        && event.key().eq_ignore_ascii_case(key)
}

/// Puts text on the clipboard. `false` where the browser offers none: outside HTTPS and localhost.
pub fn copy_text(text: &str) -> bool {
    if !window().is_secure_context() {
        return false;
    }
    // The promise fails only when the user forbade the clipboard; the text can then still be selected.
    drop(window().navigator().clipboard().write_text(text));
    true
}

/// Turns a dialog that the server rendered open into a modal one: focus stays in it, Escape cancels it.
pub fn show_modal(dialog: &HtmlDialogElement) {
    dialog.close();
    if dialog.show_modal().is_err() {
        dialog.set_open(true);
    }
}

/// Submits the form that `element` stands in, as its submit button would, with its checks.
pub fn submit_form_of(element: &HtmlElement) {
    if let Some(button) = element
        .closest("form")
        .ok()
        .flatten()
        .and_then(|form| form.query_selector("[type=submit]").ok().flatten())
        && let Ok(button) = button.dyn_into::<HtmlElement>()
    {
        button.click();
    }
}

/// Scrolls until the end of the element with this id is in sight.
pub fn show(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.scroll_into_view_with_bool(false);
    }
}

/// Presses the button or follows the link with this id.
pub fn click(id: &str) {
    if let Some(element) = document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<HtmlElement>().ok())
    {
        element.click();
    }
}

/// Closes open `<details class="menu">` when something else is pressed, an item is chosen, or Escape is pressed.
pub fn use_closing_menus() {
    Effect::new(move |_| {
        let handle = window_event_listener(ev::click, |event| {
            let target = event_target::<web_sys::Element>(&event);
            let chosen = target
                .closest(".menu__list a, .menu__list button")
                .ok()
                .flatten()
                .is_some();
            let menu = if chosen {
                None
            } else {
                target.closest("details.menu").ok().flatten()
            };
            close_menus(menu.as_ref());
        });
        on_cleanup(move || handle.remove());
    });
    use_keydown(|event| {
        if event.key() == "Escape" {
            close_menus(None);
        }
    });
}

fn close_menus(but: Option<&web_sys::Element>) {
    const KEPT: &str = "data-kept";
    if let Some(kept) = but {
        _ = kept.set_attribute(KEPT, "");
    }
    while let Ok(Some(menu)) = document().query_selector("details.menu[open]:not([data-kept])") {
        _ = menu.remove_attribute("open");
    }
    if let Some(kept) = but {
        _ = kept.remove_attribute(KEPT);
    }
}

/// Replaces the selection of the focused text field, as one step of its undo.
pub fn insert_text(text: &str) {
    exec_command("insertText", false, text);
}

/// Deletes the selection of the focused text field, as one step of its undo.
pub fn delete_selection() {
    exec_command("delete", false, "");
}

/// Asks a question that has to be answered before anything else; `false` also where the browser does not ask.
pub fn confirm(question: &str) -> bool {
    window().confirm_with_message(question).unwrap_or(false)
}

/// While `unsaved`, asks before the page is closed, reloaded, or left by a link.
pub fn use_leave_guard(unsaved: Signal<bool>, question: &'static str) {
    Effect::new(move |_| {
        let leaving = window_event_listener(ev::beforeunload, move |event| {
            if unsaved.try_get_untracked() == Some(true) {
                event.prevent_default();
            }
        });
        // On the document, so that it comes before the router, which listens on the window.
        let follow = Closure::<dyn Fn(MouseEvent)>::new(move |event: MouseEvent| {
            let link = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
                .and_then(|element| element.closest("a[href]").ok().flatten());
            let stays = link
                .is_none_or(|link| link.has_attribute("download") || link.has_attribute("target"));
            if !stays
                && !event.ctrl_key()
                && !event.meta_key()
                && !event.shift_key()
                && unsaved.try_get_untracked() == Some(true)
                && !confirm(question)
            {
                event.prevent_default();
                event.stop_propagation();
            }
        });
        _ = document().add_event_listener_with_callback("click", follow.as_ref().unchecked_ref());
        let follow = StoredValue::new_local(follow);
        on_cleanup(move || {
            leaving.remove();
            _ = follow.try_with_value(|follow| {
                document()
                    .remove_event_listener_with_callback("click", follow.as_ref().unchecked_ref())
            });
        });
    });
}

/// Whether a menu is open, whose place should not change now.
pub fn is_menu_open() -> bool {
    document()
        .query_selector("details.menu[open]")
        .is_ok_and(|menu| menu.is_some())
}

/// The console's own origin, as in `http://127.0.0.1:3000`.
pub fn origin() -> Option<String> {
    location().origin().ok()
}

/// Gives the text area with this id another text, unless the user changed it from `old`.
pub fn replace_value(id: &str, old: &str, new: &str) {
    if let Some(area) = document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<web_sys::HtmlTextAreaElement>().ok())
        && area.value() == old
    {
        area.set_value(new);
    }
}
