//! What stands in a panel while it loads: the same size as what comes.

use leptos::prelude::*;

use crate::ui::i18n::use_i18n;

/// Lines of text to come, in a card.
#[component]
pub fn SkeletonCard(#[prop(default = 5)] lines: usize) -> impl IntoView {
    view! {
        <div class="card" aria-busy="true">
            <span class="sr">{use_i18n().widgets.loading}</span>
            <div class="card__body">{(0..lines).map(|_| view! { <span class="skeleton"></span> }).collect_view()}</div>
        </div>
    }
}

/// A strip of figures to come.
#[component]
pub fn SkeletonStats(#[prop(default = 5)] stats: usize) -> impl IntoView {
    view! {
        <div class="stats" aria-busy="true">
            {(0..stats)
                .map(|_| view! { <div class="stat"><span class="skeleton"></span><span class="skeleton skeleton--value"></span><span class="skeleton"></span></div> })
                .collect_view()}
        </div>
    }
}
