//! The Overview tab: how it goes, where to call it, how it is set up.

use leptos::prelude::*;

use super::context::{FunctionContext, FunctionTab};
use super::frame::FunctionFrame;
use crate::model::figures::Figures;
use crate::ui::deploy::configuration::ConfigurationCard;
use crate::ui::deploy::endpoint::EndpointCard;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::chart::InvocationsChart;
use crate::ui::widgets::stat::{Stat, Stats};

#[component]
pub fn OverviewTab() -> impl IntoView {
    view! { <FunctionFrame tab=FunctionTab::Overview body=|context| view! { <Overview context/> }.into_any()/> }
}

#[component]
fn Overview(context: FunctionContext) -> impl IntoView {
    let figures = context.part(|detail| detail.figures);
    let series = context.part(|detail| detail.series.clone());
    view! {
        {move || view! { <DayStats figures=figures.get()/> }}
        <div class="split split--side split--even">
            <EndpointCard context/>
            <ConfigurationCard context/>
        </div>
        <Card title=use_i18n().function.overview.chart_title>
            <div class="card__body">{move || view! { <InvocationsChart series=series.get()/> }}</div>
        </Card>
    }
}

#[component]
fn DayStats(figures: Figures) -> impl IntoView {
    let words = &use_i18n().function.overview;
    let any = figures.invocations > 0;
    let duration = move |value: f64| {
        if any {
            number::milliseconds_value(value)
        } else {
            use_i18n().widgets.none.to_owned()
        }
    };
    let unit = if any { "ms" } else { "" };
    let rate = if any {
        number::percent(figures.error_rate())
    } else {
        String::new()
    };
    let p99 = if any {
        (words.p99_note)(&number::milliseconds(figures.p99_ms))
    } else {
        words.none_yet.to_owned()
    };
    view! {
        <Stats>
            <Stat label=words.invocations value=number::count(figures.invocations)/>
            <Stat label=words.errors value=number::count(figures.errors) unit=rate/>
            <Stat label=words.average value=duration(figures.average_ms) unit note=words.average_note/>
            <Stat label=words.p95 value=duration(figures.p95_ms) unit note=p99/>
        </Stats>
    }
}
