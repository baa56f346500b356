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

/// One step of a series: what happened from `start` until the next step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub start: Timestamp,
    pub invocations: u64,
    pub errors: u64,
    /// CPU seconds used in this step.
    pub cpu_seconds: f64,
    /// Milliseconds; 0 without invocations.
    pub p95_ms: f64,
}
