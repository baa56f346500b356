//! Loading and failure in one place: every panel that asks the server stands in a [`Load`].

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::button::{Size, Weight, button_class};
use super::icon::{Glyph, Icon};
use super::skeleton::SkeletonCard;
use crate::model::error::Error;
use crate::ui::i18n::use_i18n;

/// Shows `fallback` until the first answer, then the answer or what failed. A later answer replaces the earlier one
/// without showing `fallback` again, so that a refresh does not flicker.
#[component]
pub fn Load<T, V>(
    resource: Resource<Result<T, Error>>,
    #[prop(default = ViewFnOnce::from(|| view! { <SkeletonCard/> }), into)] fallback: ViewFnOnce,
    children: impl Fn(T) -> V + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + serde::Serialize + serde::de::DeserializeOwned + 'static,
    V: IntoView + 'static,
{
    view! {
        <Transition fallback>
            {move || {
                let children = children.clone();
                Suspend::new(async move {
                    match resource.await {
                        Ok(value) => children(value).into_any(),
                        Err(error) => view! { <ErrorPanel error retry=move || resource.refetch()/> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

/// What failed and how to go on; the rest of the page lives.
#[component]
pub fn ErrorPanel(error: Error, retry: impl Fn() + 'static) -> impl IntoView {
    let words = &use_i18n().widgets;
    let location = use_location();
    // Without JavaScript the link loads the page again, which is a retry as well.
    let here = move || format!("{}?{}", location.pathname.get(), location.search.get());
    let again = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        retry();
    };
    view! {
        <div class="card">
            <div class="empty" role="alert">
                <svg class="empty__art empty__art--failed" viewBox="0 0 40 40" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
                    <path d="M6 4v32" stroke-width="5"></path>
                    <circle cx="24" cy="25" r="11"></circle>
                    <path d="m20 21 8 8m0-8-8 8"></path>
                </svg>
                <h2>{words.did_not_load}</h2>
                <p>{error.message}</p>
                <div class="row">
                    <a class=button_class(Weight::Plain, Size::Medium) href=here on:click=again><Icon glyph=Glyph::Refresh/>{words.retry}</a>
                </div>
            </div>
        </div>
    }
}
