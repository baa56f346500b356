//! The Metrics tab.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::{LazyRoute, lazy_route};
use std::time::Duration;

use super::context::{FunctionContext, FunctionTab};
use super::frame::FunctionFrame;
use crate::api::observe::function_metrics;
use crate::model::metrics::FunctionMetrics;
use crate::ui::browser;
use crate::ui::i18n::use_i18n;
use crate::ui::observe::metrics::MetricPanels;
use crate::ui::widgets::load::Load;
use crate::ui::widgets::notice::{Banner, Tone};

/// The series move on once a minute; the figures sooner.
const POLL: Duration = Duration::from_secs(15);

pub struct FunctionMetricsPage;

#[lazy_route]
impl LazyRoute for FunctionMetricsPage {
    fn data() -> Self {
        Self
    }

    fn view(this: Self) -> AnyView {
        let FunctionMetricsPage = this;
        view! { <FunctionFrame tab=FunctionTab::Metrics body=|context| view! { <Metrics context/> }.into_any()/> }.into_any()
    }
}

#[component]
fn Metrics(context: FunctionContext) -> impl IntoView {
    let metrics = Resource::new(
        || (),
        move |()| function_metrics(context.workspace(), context.function()),
    );
    view! { <Load resource=metrics children=move |initial| view! { <LiveMetrics context initial/> }/> }
}

#[component]
fn LiveMetrics(context: FunctionContext, initial: FunctionMetrics) -> impl IntoView {
    let words = &use_i18n().function.metrics;
    let metrics = RwSignal::new(initial);
    let stale = RwSignal::new(false);
    browser::use_interval(POLL, move || {
        spawn_local(async move {
            let answer = function_metrics(context.workspace(), context.function()).await;
            // The page may have been left meanwhile.
            if stale.try_set(answer.is_err()).is_some() {
                return;
            }
            if let Ok(newer) = answer
                && metrics.with_untracked(|known| *known != newer)
            {
                metrics.set(newer);
            }
        });
    });
    view! {
        <div role="status">{move || stale.get().then(|| view! { <Banner tone=Tone::Warn>{words.stale}</Banner> })}</div>
        {move || view! { <MetricPanels metrics=metrics.get()/> }}
    }
}
