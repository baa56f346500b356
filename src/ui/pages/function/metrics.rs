//! The Metrics tab.

use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

use super::context::{FunctionContext, FunctionTab, use_function_ids};
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

#[component]
pub fn MetricsTab() -> impl IntoView {
    let ids = use_function_ids();
    let initial = Resource::new(
        move || ids.get(),
        |ids| async move {
            let (workspace, function) = ids?;
            function_metrics(workspace, function).await
        },
    );
    let body = move |context| {
        view! { <Load resource=initial children=move |initial| view! { <LiveMetrics context initial/> }/> }.into_any()
    };
    view! { <FunctionFrame tab=FunctionTab::Metrics body/> }
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
