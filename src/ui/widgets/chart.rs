//! Charts: the SVG stretches and holds shapes only; axes, legend and words are HTML. A table behind a link gives the same numbers.

use leptos::prelude::*;
use std::fmt::Write as _;

use super::scale::Scale;
use crate::model::figures::Point;
use crate::model::time::Timestamp;
use crate::ui::i18n::{number, use_i18n};

/// Labels under a chart, the last one being "now".
const X_LABELS: usize = 8;

/// A place in a chart, to a hundredth: written in whole numbers, which takes a tenth of the time that a fraction does.
#[derive(Clone, Copy)]
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hundredths = (self.0.max(0.0) * 100.0).round() as u32;
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        match rest {
            0 => write!(f, "{whole}"),
            _ if rest.is_multiple_of(10) => write!(f, "{whole}.{}", rest / 10),
            _ => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// What stands around the shapes.
struct Axes {
    scale: Scale,
    y_labels: Vec<String>,
    x_labels: Vec<String>,
}

impl Axes {
    fn new(scale: Scale, starts: &[Timestamp], y_label: impl Fn(f64) -> String, now: &str) -> Self {
        let every = starts.len().div_ceil(X_LABELS).max(1);
        let x_labels = starts
            .iter()
            .step_by(every)
            .map(|start| start.clock())
            .chain([now.to_owned()])
            .collect();
        Self {
            scale,
            y_labels: scale.lines().map(y_label).collect(),
            x_labels,
        }
    }

    fn grid(&self) -> String {
        let mut svg = String::from(r#"<path class="axis" d="M0 100H100"/>"#);
        for line in self.scale.lines().skip(1) {
            _ = write!(
                svg,
                r#"<path class="grid" d="M0 {}H100"/>"#,
                Short(100.0 - self.scale.percent(line))
            );
        }
        svg
    }
}

/// Successes with failures at their foot; a transparent bar over each carries the words that the browser shows on hover.
fn stacked_bars(points: &[Point], scale: Scale, words: impl Fn(&Point) -> String) -> String {
    let slot = 100.0 / points.len().max(1) as f64;
    let mut svg = String::new();
    for (index, point) in points.iter().enumerate() {
        let x = Short(index as f64 * slot + slot * 0.14);
        let (all, failed) = (
            scale.percent(point.invocations as f64),
            scale.percent(point.errors as f64),
        );
        let width = Short(slot * 0.72);
        _ = write!(
            svg,
            r#"<rect class="bar" x="{x}" width="{width}" y="{}" height="{}"/>"#,
            Short(100.0 - all),
            Short(all - failed)
        );
        if point.errors > 0 {
            _ = write!(
                svg,
                r#"<rect class="bar bar--err" x="{x}" width="{width}" y="{}" height="{}"/>"#,
                Short(100.0 - failed),
                Short(failed)
            );
        }
        _ = write!(
            svg,
            r#"<rect class="hit" x="{}" width="{}" y="0" height="100"><title>{}</title></rect>"#,
            Short(index as f64 * slot),
            Short(slot),
            words(point)
        );
    }
    svg
}

/// A line with its area, from values at equal distances; a gap where there is none.
fn line_with_area(values: &[Option<f64>], scale: Scale, key: &str, area: bool) -> String {
    let step = 100.0 / values.len().saturating_sub(1).max(1) as f64;
    let mut svg = String::new();
    let mut index = 0;
    for run in values.split(Option::is_none) {
        let points: Vec<(f64, f64)> = run
            .iter()
            .flatten()
            .enumerate()
            .map(|(offset, value)| {
                (
                    (index + offset) as f64 * step,
                    100.0 - scale.percent(*value),
                )
            })
            .collect();
        index += run.len() + 1;
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            continue;
        };
        let path = points.iter().fold(String::from("M"), |mut path, (x, y)| {
            _ = write!(path, "{} {} ", Short(*x), Short(*y));
            path
        });
        if area {
            _ = write!(
                svg,
                r#"<path class="area" d="{path}{} 100 {} 100z"/>"#,
                Short(last.0),
                Short(first.0)
            );
        }
        // A value by itself has no length: its round end is what is seen.
        let (point, end) = if points.len() == 1 {
            ("line--point ", "h0")
        } else {
            ("", "")
        };
        let path = path.trim_end();
        _ = write!(svg, r#"<path class="line {point}{key}" d="{path}{end}"/>"#);
    }
    svg
}

#[component]
fn Plot(axes: Axes, shapes: String, #[prop(into)] label: String, legend: AnyView) -> impl IntoView {
    let svg = axes.grid() + &shapes;
    let lines: Vec<f64> = axes
        .scale
        .lines()
        .map(|line| axes.scale.percent(line))
        .collect();
    let y = axes
        .y_labels
        .into_iter()
        .zip(lines)
        .map(|(text, at)| view! { <span style=format!("--at:{at:.2}%")>{text}</span> })
        .collect_view();
    let x = axes
        .x_labels
        .into_iter()
        .map(|text| view! { <span>{text}</span> })
        .collect_view();
    view! {
        <figure class="chart">
            <figcaption class="chart__legend">{legend}</figcaption>
            <div class="chart__y" aria-hidden="true">{y}</div>
            <div class="chart__plot"><svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label=label inner_html=svg></svg></div>
            <div class="chart__x" aria-hidden="true">{x}</div>
        </figure>
    }
}

/// Invocations and errors, a bar a step.
#[component]
pub fn InvocationsChart(series: Vec<Point>) -> impl IntoView {
    let words = &use_i18n().widgets;
    let top = series
        .iter()
        .map(|point| point.invocations)
        .max()
        .unwrap_or(0);
    let scale = Scale::up_to(top as f64, true);
    let starts: Vec<Timestamp> = series.iter().map(|point| point.start).collect();
    let axes = Axes::new(
        scale,
        &starts,
        |value| number::count(value as u64),
        words.now,
    );
    let failed: u64 = series.iter().map(|point| point.errors).sum();
    let succeeded = series
        .iter()
        .map(|point| point.invocations)
        .sum::<u64>()
        .saturating_sub(failed);
    let step_words = |point: &Point| {
        let succeeded = point.invocations.saturating_sub(point.errors);
        (words.invocations_step)(
            &point.start.clock(),
            &number::count(succeeded),
            &number::count(point.errors),
        )
    };
    let shapes = stacked_bars(&series, scale, step_words);
    let label = (words.invocations_chart)(&number::count(succeeded), &number::count(failed));
    let legend = view! {
        <span class="box key-bar">{words.succeeded} " " <b>{number::count(succeeded)}</b></span>
        <span class="box key-error">{words.failed_calls} " " <b>{number::count(failed)}</b></span>
    }
    .into_any();
    let rows = series
        .iter()
        .map(|point| {
            [
                point.start.clock(),
                number::count(point.invocations.saturating_sub(point.errors)),
                number::count(point.errors),
            ]
            .to_vec()
        })
        .collect();
    view! {
        <Plot axes shapes label legend/>
        <DataTable head=vec![words.time, words.succeeded, words.failed_calls] rows/>
    }
}

/// One series of a line chart. `key` names its colour: `line--1`, `line--2`, `line--3`.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub label: String,
    /// What the legend says beside the label, as in `0.0108`.
    pub value: String,
    pub key: &'static str,
    /// At equal distances; `None` is missing, never zero.
    pub values: Vec<Option<f64>>,
}

/// Lines over time; the first has an area when it is alone.
#[component]
pub fn LineChart(
    #[prop(into)] label: String,
    /// One a value, oldest first.
    starts: Vec<Timestamp>,
    series: Vec<Series>,
    /// Decimals of axis and table.
    digits: usize,
) -> impl IntoView {
    let words = &use_i18n().widgets;
    let top = series
        .iter()
        .flat_map(|line| line.values.iter().flatten())
        .copied()
        .fold(0.0, f64::max);
    let scale = Scale::up_to(top, false);
    let axes = Axes::new(
        scale,
        &starts,
        |value| number::decimal(value, digits),
        words.now,
    );
    let alone = series.len() == 1;
    let shapes: String = series
        .iter()
        .map(|line| line_with_area(&line.values, scale, line.key, alone))
        .collect();
    let legend = series
        .iter()
        .map(|line| view! { <span class=format!("key-{}", line.key)>{line.label.clone()} " " <b>{line.value.clone()}</b></span> })
        .collect_view()
        .into_any();
    let told = |value: Option<f64>| {
        value.map_or_else(
            || words.none.to_owned(),
            |value| format!("{value:.digits$}"),
        )
    };
    let rows = starts
        .iter()
        .enumerate()
        .map(|(index, start)| {
            std::iter::once(start.clock())
                .chain(
                    series
                        .iter()
                        .map(|line| told(line.values.get(index).copied().flatten())),
                )
                .collect()
        })
        .collect();
    let head = std::iter::once(words.time.to_owned())
        .chain(series.iter().map(|line| line.label.clone()))
        .collect::<Vec<_>>();
    view! {
        <Plot axes shapes label legend/>
        <DataTable head rows/>
    }
}

/// The numbers of a chart, behind a link.
#[component]
fn DataTable<H: Into<String> + Send + 'static>(
    head: Vec<H>,
    rows: Vec<Vec<String>>,
) -> impl IntoView {
    let head = head
        .into_iter()
        .map(|text| view! { <th scope="col" class="num">{text.into()}</th> })
        .collect_view();
    // Hundreds of cells that never change: as text they cost a fraction of what views do.
    let mut body = String::new();
    for cells in rows {
        body.push_str("<tr>");
        for cell in cells {
            let cell = cell.replace('&', "&amp;").replace('<', "&lt;");
            _ = write!(body, r#"<td class="num">{cell}</td>"#);
        }
        body.push_str("</tr>");
    }
    view! {
        <details class="chart-table">
            <summary class="link">{use_i18n().widgets.table}</summary>
            <div class="chart-table__rows"><table class="table"><thead><tr>{head}</tr></thead><tbody inner_html=body></tbody></table></div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_is_a_gap_and_not_zero() {
        let scale = Scale {
            max: 10.0,
            step: 5.0,
        };
        let svg = line_with_area(
            &[Some(1.0), Some(2.0), None, Some(3.0)],
            scale,
            "line--2",
            false,
        );
        assert_eq!(svg.matches("<path").count(), 2);
        assert!(
            svg.contains(r#"class="line line--point line--2" d="M100 70h0""#),
            "{svg}"
        );
    }

    #[test]
    fn errors_stand_at_the_foot_of_their_bar() {
        let point = Point {
            start: Timestamp::from_seconds(0),
            invocations: 10,
            errors: 4,
            cpu_seconds: 0.0,
            p95_ms: 0.0,
        };
        let svg = stacked_bars(
            &[point],
            Scale {
                max: 10.0,
                step: 5.0,
            },
            |_| "words".to_owned(),
        );
        assert!(
            svg.contains(r#"y="0" height="60""#) && svg.contains(r#"y="60" height="40""#),
            "{svg}"
        );
    }
}
