//! An instant: exact in Korean time from the server, in words of distance once the browser knows the time.

use leptos::prelude::*;
use std::time::Duration;

use crate::model::time::Timestamp;
use crate::ui::browser;
use crate::ui::i18n::time;

/// How often the distances are told anew.
const TICK: Duration = Duration::from_secs(5);

/// The browser's time, once for all instants of a page; `None` while rendering on the server and hydrating.
#[derive(Clone, Copy)]
struct Now(RwSignal<Option<Timestamp>>);

/// Starts the page's clock after hydration.
pub fn provide_now() {
    let now = RwSignal::new(None);
    provide_context(Now(now));
    let tick = move || now.set(Some(browser::now()));
    Effect::new(move |_| tick());
    browser::use_interval(TICK, tick);
}

/// The browser's time, for views that tell how long something has been going on.
///
/// A lazy page hydrates after the clock has started: before that, its views would not find what the server rendered.
pub fn use_now() -> Signal<Option<Timestamp>> {
    let Some(now) = use_context::<Now>() else {
        return Signal::stored(None);
    };
    let hydrated = browser::use_hydrated();
    Signal::derive(move || now.0.get().filter(|_| hydrated.get()))
}

#[component]
pub fn RelativeTime(at: Timestamp) -> impl IntoView {
    let now = use_now();
    let text = move || {
        now.get()
            .map_or_else(|| time::short(at), |now| time::relative(at, now))
    };
    view! { <time datetime=at.to_string() title=time::exact(at)>{text}</time> }
}

/// As [`RelativeTime`], or a dash where there is no instant.
#[component]
pub fn MaybeTime(at: Option<Timestamp>) -> impl IntoView {
    match at {
        Some(at) => view! { <RelativeTime at/> }.into_any(),
        None => crate::ui::i18n::use_i18n().widgets.none.into_any(),
    }
}
