//! The sources of lines and figures that the settings name.

use std::sync::Arc;

use crate::adapter::logs::embedded::EmbeddedLogs;
use crate::adapter::logs::loki::LokiLogs;
use crate::adapter::metrics::embedded::EmbeddedMetrics;
use crate::adapter::metrics::prometheus::PrometheusMetrics;
use crate::port::logs::LogSource;
use crate::port::metrics::MetricSource;
use crate::port::store::Store;
use crate::server::config::{LogsEngine, MetricsEngine};

pub(super) fn logs(
    engine: &LogsEngine,
    store: Arc<dyn Store>,
) -> Result<Arc<dyn LogSource>, String> {
    Ok(match engine {
        LogsEngine::Embedded => Arc::new(EmbeddedLogs::new(store)),
        LogsEngine::Loki(url) => Arc::new(LokiLogs::new(url)?),
    })
}

pub(super) fn metrics(
    engine: &MetricsEngine,
    store: Arc<dyn Store>,
) -> Result<Arc<dyn MetricSource>, String> {
    Ok(match engine {
        MetricsEngine::Embedded => Arc::new(EmbeddedMetrics::new(store)),
        MetricsEngine::Prometheus(url) => Arc::new(PrometheusMetrics::new(url)?),
    })
}
