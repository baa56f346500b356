//! What is measured of a function, and its live lines.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::execution::{Execution, Level};
use super::figures::{Figures, Point};
use super::id::FunctionId;
use super::time::Timestamp;

/// A value at a time, in Prometheus's manner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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

impl CpuMetrics {
    /// When nothing answered.
    pub fn unknown() -> Self {
        Self {
            cpu_total: None,
            cpu_series: None,
            window_seconds: 3_600,
            instant_query: String::new(),
            range_query: String::new(),
        }
    }
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
    pub timings: Timings,
}

/// Where the time of a function's newest calls went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timings {
    /// Calls that were measured.
    pub executions: usize,
    /// Milliseconds, as all the others but the last two.
    pub duration: Quantiles,
    pub queue: Quantiles,
    pub start: Quantiles,
    pub run: Quantiles,
    pub cpu: Quantiles,
    pub memory_mb: Quantiles,
    pub page_faults: Quantiles,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quantiles {
    pub p50: f64,
    pub p95: f64,
}

impl Timings {
    /// Of those that an instance was made for.
    pub fn of<'a>(executions: impl IntoIterator<Item = &'a Execution>) -> Self {
        let measured: Vec<_> = executions
            .into_iter()
            .filter(|execution| execution.run_ms.is_some())
            .collect();
        let quantiles = |value: fn(&Execution) -> Option<f64>| {
            Quantiles::of(measured.iter().filter_map(|execution| value(execution)))
        };
        Self {
            executions: measured.len(),
            duration: quantiles(|execution| Some(execution.duration)),
            queue: quantiles(|execution| execution.queue_ms),
            start: quantiles(|execution| execution.start_ms),
            run: quantiles(|execution| execution.run_ms),
            cpu: quantiles(|execution| execution.cpu_ms),
            memory_mb: quantiles(|execution| execution.memory_mb),
            page_faults: quantiles(|execution| execution.page_faults.map(|count| count as f64)),
        }
    }
}

impl Quantiles {
    /// By nearest rank; zero of nothing.
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let rank = |share: f64| {
            let rank = (values.len() as f64 * share).ceil() as usize;
            values.get(rank.max(1) - 1).copied().unwrap_or_default()
        };
        Self {
            p50: rank(0.5),
            p95: rank(0.95),
        }
    }
}

/// One live line of a function's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// Nanoseconds since the epoch.
    pub nanos: i64,
    pub at: Timestamp,
    pub level: Level,
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::Quantiles;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let of = |values: &[f64]| Quantiles::of(values.iter().copied());
        let quantiles = |p50, p95| Quantiles { p50, p95 };
        assert_eq!(of(&[]), quantiles(0.0, 0.0));
        assert_eq!(of(&[3.0]), quantiles(3.0, 3.0));
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(of(&hundred), quantiles(50.0, 95.0));
    }
}
