//! CPU use of pods from Prometheus.

use async_trait::async_trait;
use serde::Deserialize;

use crate::adapter::upstream::{Upstream, UpstreamError};
use crate::model::error::{Error, Result};
use crate::model::id::FunctionId;
use crate::model::metrics::{CpuMetrics, Sample};
use crate::model::time::Timestamp;
use crate::port::metrics::MetricSource;

const WINDOW: i64 = 3_600;
const STEP: i64 = 60;

pub struct PrometheusMetrics {
    prometheus: Upstream,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Data<T>,
}

#[derive(Deserialize)]
struct Data<T> {
    result: Vec<T>,
}

/// Seconds, with a fraction, and the number as text.
type Point = (f64, String);

#[derive(Deserialize)]
struct Instant {
    value: Point,
}

#[derive(Deserialize)]
struct Range {
    values: Vec<Point>,
}

impl PrometheusMetrics {
    /// `url` as in `http://prometheus:9090`.
    pub fn new(url: &str) -> std::result::Result<Self, String> {
        Ok(Self {
            prometheus: Upstream::new("prometheus", url)?,
        })
    }

    /// Cores now; none where no pod runs.
    async fn now(&self, query: &str, now: i64) -> std::result::Result<f64, UpstreamError> {
        let time = now.to_string();
        let parameters = [("query", query), ("time", &time)];
        let answer: Answer<Instant> = self.prometheus.get("api/v1/query", &parameters).await?;
        let value = answer.data.result.first();
        Ok(value.map_or(0.0, |instant| number(&instant.value.1)))
    }

    async fn series(
        &self,
        query: &str,
        now: i64,
    ) -> std::result::Result<Vec<Sample>, UpstreamError> {
        let (start, end) = ((now - WINDOW).to_string(), now.to_string());
        let step = STEP.to_string();
        let parameters = [
            ("query", query),
            ("start", &start),
            ("end", &end),
            ("step", &step),
        ];
        let path = "api/v1/query_range";
        let answer: Answer<Range> = self.prometheus.get(path, &parameters).await?;
        let points = answer.data.result.into_iter().take(1);
        let points = points.flat_map(|range| range.values);
        let samples = points.map(|(at, value)| Sample {
            timestamp: at as i64,
            value: number(&value),
        });
        Ok(samples.collect())
    }
}

/// What is no number, as in `NaN`, is none in JSON either.
fn number(text: &str) -> f64 {
    let value: f64 = text.parse().unwrap_or_default();
    if value.is_finite() { value } else { 0.0 }
}

/// An id holds neither quotes nor backslashes: it was parsed as one.
fn query(function: &FunctionId) -> String {
    format!(
        r#"sum(rate(container_cpu_usage_seconds_total{{container!=""}}[1m]) * on(namespace, pod) group_left(label_function_id) kube_pod_labels{{label_function_id="{function}"}})"#
    )
}

#[async_trait]
impl MetricSource for PrometheusMetrics {
    async fn cpu(&self, function: &FunctionId) -> Result<CpuMetrics> {
        let (query, now) = (query(function), Timestamp::now().seconds());
        let (instant, series) = tokio::join!(self.now(&query, now), self.series(&query, now));
        for cause in instant
            .as_ref()
            .err()
            .into_iter()
            .chain(series.as_ref().err())
        {
            tracing::warn!(%cause, "Prometheus did not answer a query");
        }
        if instant.is_err() && series.is_err() {
            return Err(Error::overloaded("Prometheus, which measures CPU use, does not answer. Try again in a moment; if it lasts, check PROMETHEUS_SERVICE_URL and that Prometheus runs.")
                .with_operation("PROMETHEUS_CONNECTION_ERROR"));
        }
        Ok(CpuMetrics {
            cpu_total: instant.ok(),
            cpu_series: series.ok(),
            window_seconds: WINDOW as u32,
            instant_query: query.clone(),
            range_query: query,
        })
    }

    async fn check(&self) -> std::result::Result<(), String> {
        self.prometheus.check("-/ready").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promql_parser::parser::{Expr, parse};

    #[test]
    fn the_query_means_one_function_whatever_its_id() {
        for id in ["fn-a", "fn_1.2-X", "0"] {
            let id = FunctionId::parse(id).expect("an id");
            let parsed = parse(&query(&id)).expect("PromQL");
            let Expr::Aggregate(sum) = parsed else {
                panic!("{parsed:?}");
            };
            let text = sum.to_string();
            assert!(
                text.contains(&format!("label_function_id=\"{id}\"")),
                "{text}"
            );
            assert_eq!(text.matches("label_function_id=").count(), 1, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_counts_nothing() {
        let numbers = ["1.5", "NaN", "+Inf", "x"].map(|text| number(text).to_string());
        assert_eq!(numbers, ["1.5", "0", "0", "0"]);
    }
}
