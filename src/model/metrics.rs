//! What is measured of a function, and its live lines.

use serde::{Deserialize, Serialize};

use super::execution::Level;
use super::figures::{Figures, Point};
use super::id::FunctionId;
use super::time::Timestamp;

/// A value at a time, in Prometheus's manner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since the epoch.
    pub timestamp: i64,
    pub value: f64,
}

/// CPU use as a metric source reports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CpuMetrics {
    /// Cores over the last minute; `None` when that query failed.
    pub cpu_total: Option<f64>,
    /// Cores, a sample a minute, over `window_seconds`; `None` when that query failed.
    pub cpu_series: Option<Vec<Sample>>,
    pub window_seconds: u32,
    /// The query that answers `cpu_total`.
    pub instant_query: String,
    /// The query that answers `cpu_series`.
    pub range_query: String,
}

/// What the metrics tab shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionMetrics {
    pub function_id: FunctionId,
    pub cpu: CpuMetrics,
    /// Over the last 60 minutes.
    pub hour: Figures,
    /// 60 minutes in five-minute steps, oldest first.
    pub series: Vec<Point>,
}

/// One live line of a function's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Nanoseconds since the epoch.
    pub nanos: i64,
    pub at: Timestamp,
    pub level: Level,
    pub text: String,
}
