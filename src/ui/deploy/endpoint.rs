//! Where a function is called, and how.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::calls::{Caller, call_sample};
use crate::model::function::{FunctionStatus, HttpMethods};
use crate::model::platform::PlatformKind;
use crate::ui::editor::highlight::highlight;
use crate::ui::editor::paint::{escape, paint_pieces};
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::{FunctionContext, FunctionTab};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::copy_button::CopyButton;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::tabs::{Segmented, Tab};

#[component]
pub fn EndpointCard(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.overview;
    let url = context.part(|detail| detail.public_url.clone());
    let methods = context.part(|detail| detail.function.http_methods.clone());
    let badges = move || {
        methods.with(|methods| {
            methods
                .iter()
                .map(|method| view! { <span class="badge">{method.as_str()}</span> })
                .collect_view()
        })
    };
    view! {
        <Card title=words.endpoint end=move || view! { <span class="row">{badges}</span> }>
            {move || match url.get() {
                Some(url) => view! { <Endpoint context url methods=methods.get()/> }.into_any(),
                None => view! { <NoEndpoint context/> }.into_any(),
            }}
        </Card>
    }
}

#[component]
fn NoEndpoint(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.overview;
    let app_name = context
        .detail
        .with_untracked(|detail| detail.suggested_app_name.to_string());
    view! {
        <EmptyState title=format!("{}: {app_name}", words.app_name_will_be) text=words.endpoint_none>
            <a class="button" href=context.path(FunctionTab::Deploy)>{words.go_deploy}</a>
        </EmptyState>
    }
}

#[component]
fn Endpoint(context: FunctionContext, url: String, methods: HttpMethods) -> impl IntoView {
    let words = &use_i18n().function.overview;
    let disabled = context.part(|detail| detail.function.status == FunctionStatus::Disabled);
    let cluster = context.part(|detail| {
        (detail.platform == PlatformKind::Cluster).then(|| detail.cluster_address.clone())
    });
    let query = use_query_map();
    let caller = Memo::new(move |_| {
        query.with(|query| Caller::from_key(query.get_str("call").unwrap_or_default()))
    });
    let base = context.path(FunctionTab::Overview);
    let options = move || {
        let current = caller.get();
        let tab = |one: Caller| Tab {
            href: format!("{base}?call={}", one.key()),
            label: one.title(),
            current: one == current,
        };
        Caller::ALL.map(tab).to_vec()
    };
    let address = url.clone();
    let sample = Memo::new(move |_| call_sample(caller.get(), &address, &methods));
    let painted = move || sample.with(|sample| paint_sample(caller.get(), sample));
    view! {
        <div class="card__body stack">
            {move || disabled.get().then(|| view! { <p class="warn">{words.endpoint_disabled}</p> })}
            <div class="code code--line">
                <pre tabindex="0">{url.clone()}</pre>
                <span class="code__copy"><CopyButton text=url label=use_i18n().function.frame.copy_url/></span>
            </div>
            {move || cluster.get().map(|address| view! { <ClusterAddress address/> })}
            <div class="code">
                <div class="code__head">
                    {move || view! { <Segmented label=words.call_with options=options()/> }}
                    <CopyButton text=sample label=words.copy_call/>
                </div>
                <pre tabindex="0" inner_html=painted></pre>
            </div>
        </div>
    }
}

/// Where the cluster's own callers reach it.
#[component]
fn ClusterAddress(address: Option<String>) -> impl IntoView {
    let words = &use_i18n().function.overview;
    let line = match address {
        Some(address) => view! {
            <div class="code code--line">
                <pre tabindex="0">{address.clone()}</pre>
                <span class="code__copy"><CopyButton text=address label=words.copy_cluster_address/></span>
            </div>
        }
        .into_any(),
        None => view! { <p class="muted">{words.cluster_pending}</p> }.into_any(),
    };
    view! {
        <div class="stack stack--s">
            <h3>{words.cluster_address}</h3>
            {line}
            <p class="field__hint">{words.cluster_bypass}</p>
        </div>
    }
}

/// Only Python has colours here.
fn paint_sample(caller: Caller, sample: &str) -> String {
    match caller {
        Caller::Python => highlight(sample)
            .iter()
            .map(|tokens| paint_pieces(tokens.iter().map(|token| (token.kind.class(), token.text))))
            .collect::<Vec<_>>()
            .join("\n"),
        Caller::Curl | Caller::JavaScript => escape(sample),
    }
}
