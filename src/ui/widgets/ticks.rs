//! 24 hours in the width of a word: a bar an hour or half an hour wide, the running one blue, errors red.

use leptos::prelude::*;
use std::fmt::Write as _;

use crate::model::figures::Point;
use crate::ui::i18n::use_i18n;

const HEIGHT: f64 = 28.0;
/// Errors are seen even where they are few.
const LEAST_ERROR: f64 = 2.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TicksLook {
    #[default]
    Inline,
    Tall,
}

/// The bars as SVG; numbers only, so that nothing in it can be markup of a user.
fn bars(points: &[Point]) -> String {
    let top = points
        .iter()
        .map(|point| point.invocations)
        .max()
        .unwrap_or(0)
        .max(1) as f64;
    let mut svg = String::new();
    for (index, point) in points.iter().enumerate() {
        let x = index * 4;
        if point.invocations == 0 {
            _ = write!(
                svg,
                r#"<rect class="zero" x="{x}" y="27" width="3" height="1"/>"#
            );
            continue;
        }
        let height = (point.invocations as f64 / top * HEIGHT).max(1.0);
        let class = if index + 1 == points.len() {
            r#" class="now""#
        } else {
            ""
        };
        _ = write!(
            svg,
            r#"<rect{class} x="{x}" y="{:.1}" width="3" height="{height:.1}"/>"#,
            HEIGHT - height
        );
        if point.errors > 0 {
            let red = (point.errors as f64 / top * HEIGHT)
                .max(LEAST_ERROR)
                .min(height.max(LEAST_ERROR));
            _ = write!(
                svg,
                r#"<rect class="err" x="{x}" y="{:.1}" width="3" height="{red:.1}"/>"#,
                HEIGHT - red
            );
        }
    }
    svg
}

#[component]
pub fn Ticks(series: Vec<Point>, #[prop(optional)] look: TicksLook) -> impl IntoView {
    let words = &use_i18n().widgets;
    let class = match look {
        TicksLook::Inline => "ticks ticks--inline",
        TicksLook::Tall => "ticks ticks--tall",
    };
    let label = if series.iter().all(|point| point.invocations == 0) {
        words.no_invocations
    } else {
        words.invocations_by_step
    };
    let width = (series.len() * 4).saturating_sub(1).max(1);
    view! { <svg class=class viewBox=format!("0 0 {width} 28") preserveAspectRatio="none" role="img" aria-label=label inner_html=bars(&series)></svg> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn point(invocations: u64, errors: u64) -> Point {
        Point {
            start: Timestamp::from_seconds(0),
            invocations,
            errors,
            cpu_seconds: 0.0,
            p95_ms: 0.0,
        }
    }

    #[test]
    fn quiet_steps_full_steps_and_errors_are_told_apart() {
        let svg = bars(&[point(0, 0), point(10, 0), point(10, 1), point(5, 0)]);
        assert_eq!(svg.matches("class=\"zero\"").count(), 1);
        assert_eq!(svg.matches("class=\"err\"").count(), 1);
        assert!(svg.contains(r#"<rect class="now" x="12" y="14.0" width="3" height="14.0"/>"#));
    }
}
