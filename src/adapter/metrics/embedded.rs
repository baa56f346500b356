//! CPU time that executions used, from the store's counters per minute.

use async_trait::async_trait;
use std::sync::Arc;

use crate::model::error::{Error, Result};
use crate::model::id::FunctionId;
use crate::model::metrics::{CpuMetrics, Sample};
use crate::model::time::Timestamp;
use crate::port::keys;
use crate::port::metrics::MetricSource;
use crate::port::store::{Query, SortRange, Store};

const WINDOW: i64 = 3_600;
const MINUTE: i64 = 60;

pub struct EmbeddedMetrics {
    store: Arc<dyn Store>,
}

impl EmbeddedMetrics {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl MetricSource for EmbeddedMetrics {
    async fn cpu(&self, function: &FunctionId) -> Result<CpuMetrics> {
        let scope = keys::function_partition(function);
        let now = Timestamp::now().seconds();
        let first = (now - WINDOW).div_euclid(MINUTE) * MINUTE;
        let from = keys::statistics(&scope, "1M", first, 0);
        let query = Query {
            pk: from.pk,
            range: SortRange::Between(from.sk, "1M#~".to_owned()),
            forward: true,
            limit: 1_000,
            after: None,
        };
        let page = self.store.query(&query).await.map_err(|_| {
            Error::overloaded("The figures could not be read. Try again in a moment.")
        })?;
        let minutes = WINDOW / MINUTE + 1;
        let mut series: Vec<Sample> = (0..minutes)
            .map(|index| Sample {
                timestamp: first + index * MINUTE,
                value: 0.0,
            })
            .collect();
        for (key, item) in &page.items {
            let start: Option<i64> = key
                .sk
                .split('#')
                .nth(1)
                .and_then(|start| start.parse().ok());
            let cpu = item
                .get("cpu_us")
                .and_then(serde_json::Value::as_f64)
                .unwrap_or_default();
            if let Some(sample) = start
                .and_then(|start| usize::try_from((start - first) / MINUTE).ok())
                .and_then(|index| series.get_mut(index))
            {
                sample.value += cpu / 1e6 / MINUTE as f64;
            }
        }
        // The running minute counts for what has passed of it, together with the one before.
        let tail: f64 = series
            .iter()
            .rev()
            .take(2)
            .map(|sample| sample.value * MINUTE as f64)
            .sum();
        let seconds = MINUTE + now.rem_euclid(MINUTE);
        Ok(CpuMetrics {
            cpu_total: Some(tail / seconds as f64),
            cpu_series: Some(series),
            window_seconds: WINDOW as u32,
            // No query language stands between: the counters are read as they are.
            instant_query: String::new(),
            range_query: String::new(),
        })
    }

    async fn check(&self) -> std::result::Result<(), String> {
        self.store.check().await.map_err(|error| error.to_string())
    }
}
