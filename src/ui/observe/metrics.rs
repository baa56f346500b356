//! What is measured of a function over the last 60 minutes.

use leptos::prelude::*;

use super::timings::TimingsCard;
use crate::model::figures::Point;
use crate::model::metrics::{CpuMetrics, FunctionMetrics, Sample};
use crate::model::time::Timestamp;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::chart::{InvocationsChart, LineChart, Series};
use crate::ui::widgets::copy_button::CopyButton;
use crate::ui::widgets::notice::{Banner, Tone};
use crate::ui::widgets::stat::{Stat, Stats};

/// Decimals of cores: one invocation a minute is a few ten-thousandths.
const DIGITS: usize = 4;

/// Average and peak of a CPU series; `None` without samples.
fn average_and_peak(samples: &[Sample]) -> Option<(f64, Sample)> {
    let peak = samples.iter().copied().reduce(|peak, sample| {
        if sample.value > peak.value {
            sample
        } else {
            peak
        }
    })?;
    Some((
        samples.iter().map(|sample| sample.value).sum::<f64>() / samples.len() as f64,
        peak,
    ))
}

fn cores(value: f64) -> String {
    format!("{value:.DIGITS$}")
}

#[component]
pub fn MetricPanels(metrics: FunctionMetrics) -> impl IntoView {
    let words = &use_i18n().function.metrics;
    let missing = [
        metrics
            .cpu
            .cpu_total
            .is_none()
            .then_some(words.partial_instant),
        metrics
            .cpu
            .cpu_series
            .is_none()
            .then_some(words.partial_range),
    ];
    let series = metrics.series.clone();
    view! {
        <MetricStats metrics=metrics.clone()/>
        {missing.into_iter().flatten().map(|text| view! { <Banner tone=Tone::Warn>{text}</Banner> }).collect_view()}
        <div class="charts">
            <CpuCard cpu=metrics.cpu.clone()/>
            <DurationCard metrics=metrics.clone()/>
            <TimingsCard timings=metrics.timings/>
            <Card title=words.invocations_title>
                <div class="card__body"><InvocationsChart series/></div>
            </Card>
        </div>
    }
}

#[component]
fn MetricStats(metrics: FunctionMetrics) -> impl IntoView {
    let words = &use_i18n().function.metrics;
    let hour = metrics.hour;
    let summary = metrics.cpu.cpu_series.as_deref().and_then(average_and_peak);
    let unknown = || words.unknown.to_owned();
    let unit = |known: bool| if known { words.cores } else { "" };
    let any = hour.invocations > 0;
    let rate = if any {
        number::percent(hour.error_rate())
    } else {
        String::new()
    };
    let p95 = if any {
        number::milliseconds_value(hour.p95_ms)
    } else {
        unknown()
    };
    view! {
        <Stats>
            <Stat label=words.cpu_now value=metrics.cpu.cpu_total.map_or_else(unknown, cores) unit=unit(metrics.cpu.cpu_total.is_some())/>
            <Stat label=words.cpu_average value=summary.map_or_else(unknown, |(average, _)| cores(average)) unit=unit(summary.is_some())/>
            <Stat label=words.cpu_peak value=summary.map_or_else(unknown, |(_, peak)| cores(peak.value)) unit=unit(summary.is_some())/>
            <Stat label=words.invocations value=number::count(hour.invocations) note=words.hour_note/>
            <Stat label=words.errors value=number::count(hour.errors) unit=rate/>
            <Stat label=words.p95 value=p95 unit=if any { "ms" } else { "" }/>
        </Stats>
    }
}

#[component]
fn CpuCard(cpu: CpuMetrics) -> impl IntoView {
    let words = &use_i18n().function.metrics;
    let samples = cpu.cpu_series.unwrap_or_default();
    let chart = match average_and_peak(&samples) {
        None => view! { <p class="muted">{words.cpu_none}</p> }.into_any(),
        Some((_, peak)) => {
            let at = Timestamp::from_seconds(peak.timestamp).format("%H:%M");
            let label = if peak.value > 0.0 {
                (words.cpu_label)(&cores(peak.value), &at)
            } else {
                words.cpu_label_idle.to_owned()
            };
            let starts = samples
                .iter()
                .map(|sample| Timestamp::from_seconds(sample.timestamp))
                .collect();
            let values = samples.iter().map(|sample| Some(sample.value)).collect();
            let last = samples
                .last()
                .map(|sample| cores(sample.value))
                .unwrap_or_default();
            let series = vec![Series {
                label: words.cpu_legend.to_owned(),
                value: last,
                key: "line--1",
                values,
            }];
            view! { <LineChart label starts series digits=DIGITS/> }.into_any()
        }
    };
    view! {
        <Card title=words.cpu_title>
            <div class="card__body stack">
                {chart}
                <Query title=words.query_instant query=cpu.instant_query/>
                <Query title=words.query_range query=cpu.range_query/>
            </div>
        </Card>
    }
}

/// A query for copying; nothing where the source has none.
#[component]
fn Query(title: &'static str, query: String) -> impl IntoView {
    let words = &use_i18n().function.metrics;
    (!query.is_empty()).then(|| {
        view! {
            <div class="code">
                <div class="code__head"><span>{words.query_title} ", " {title}</span><CopyButton text=query.clone() label=words.copy_query/></div>
                <pre tabindex="0">{query}</pre>
            </div>
        }
    })
}

#[component]
fn DurationCard(metrics: FunctionMetrics) -> impl IntoView {
    let words = &use_i18n().function.metrics;
    let hour = metrics.hour;
    let any = hour.invocations > 0;
    let told = move |value: f64| {
        if any {
            number::milliseconds(value)
        } else {
            words.unknown.to_owned()
        }
    };
    let starts = metrics.series.iter().map(|point| point.start).collect();
    // A step without invocations has no duration.
    let values = metrics
        .series
        .iter()
        .map(|point: &Point| (point.invocations > 0).then_some(point.p95_ms))
        .collect();
    let series = vec![Series {
        label: words.p95_legend.to_owned(),
        value: told(hour.p95_ms),
        key: "line--2",
        values,
    }];
    view! {
        <Card title=words.duration_title>
            <div class="card__body stack">
                <LineChart label=words.duration_label starts series digits=1/>
                <dl class="facts">
                    <dt>{words.average}</dt>
                    <dd>{told(hour.average_ms)}</dd>
                    <dt>{words.p50}</dt>
                    <dd>{told(hour.p50_ms)}</dd>
                    <dt>{words.p95}</dt>
                    <dd>{told(hour.p95_ms)}</dd>
                    <dt>{words.p99}</dt>
                    <dd>{told(hour.p99_ms)}</dd>
                </dl>
            </div>
        </Card>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_first_of_the_highest() {
        let samples = [(1, 0.1), (2, 0.3), (3, 0.3), (4, 0.1)]
            .map(|(timestamp, value)| Sample { timestamp, value });
        let (average, peak) = average_and_peak(&samples).expect("samples");
        assert!((average - 0.2).abs() < 1e-9);
        assert_eq!(peak.timestamp, 2);
        assert_eq!(average_and_peak(&[]), None);
    }

    #[test]
    fn cores_have_four_decimals() {
        assert_eq!(cores(0.012_34), "0.0123");
    }
}
