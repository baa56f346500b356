//! Counts and durations over a sliding window.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Totals over a window. Percentiles come from histograms with a relative error of at most 10 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    pub invocations: u64,
    pub errors: u64,
    /// Milliseconds, weighted by invocations.
    pub average_ms: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    /// CPU seconds in all.
    pub cpu_seconds: f64,
}

impl Figures {
    /// errors / invocations × 100, 0 without any.
    pub fn error_rate(&self) -> f64 {
        if self.invocations == 0 {
            0.0
        } else {
            self.errors as f64 * 100.0 / self.invocations as f64
        }
    }
}

/// One step of a series: what happened from `start` until the next step. Travels as a list of five numbers, the start in seconds: a
/// page holds dozens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(i64, u64, u64, f64, f64)", into = "(i64, u64, u64, f64, f64)")]
pub struct Point {
    pub start: Timestamp,
    pub invocations: u64,
    pub errors: u64,
    /// CPU seconds used in this step.
    pub cpu_seconds: f64,
    /// Milliseconds; 0 without invocations.
    pub p95_ms: f64,
}

impl From<(i64, u64, u64, f64, f64)> for Point {
    fn from((start, invocations, errors, cpu_seconds, p95_ms): (i64, u64, u64, f64, f64)) -> Self {
        Self {
            start: Timestamp::from_seconds(start),
            invocations,
            errors,
            cpu_seconds,
            p95_ms,
        }
    }
}

impl From<Point> for (i64, u64, u64, f64, f64) {
    fn from(point: Point) -> Self {
        (
            point.start.seconds(),
            point.invocations,
            point.errors,
            point.cpu_seconds,
            point.p95_ms,
        )
    }
}
