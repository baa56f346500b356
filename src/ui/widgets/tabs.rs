//! Tabs are links: each has its address.

use leptos::prelude::*;

/// One tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    pub href: String,
    pub label: &'static str,
    pub current: bool,
}

#[component]
pub fn Tabs(#[prop(into)] label: String, tabs: Vec<Tab>) -> impl IntoView {
    view! { <nav class="tabs" aria-label=label>{links(tabs)}</nav> }
}

/// Short values as links, one of them current: filters and ranges.
#[component]
pub fn Segmented(#[prop(into)] label: String, options: Vec<Tab>) -> impl IntoView {
    view! { <nav class="segmented segmented--m" aria-label=label>{links(options)}</nav> }
}

fn links(tabs: Vec<Tab>) -> impl IntoView {
    tabs.into_iter().map(|tab| view! { <a href=tab.href aria-current=tab.current.then_some("page")>{tab.label}</a> }).collect_view()
}
