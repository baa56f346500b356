//! Live lines and metrics of a function.

use std::sync::Arc;

use super::actor::Actor;
use super::functions::Functions;
use super::statistics::{Scope, Statistics};
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::metrics::{CpuMetrics, FunctionMetrics, LogLine};
use crate::port::logs::LogSource;
use crate::port::metrics::MetricSource;

const HOUR: i64 = 3_600;

pub struct Observe {
    functions: Arc<Functions>,
    statistics: Arc<Statistics>,
    logs: Arc<dyn LogSource>,
    metrics: Arc<dyn MetricSource>,
}

impl Observe {
    pub fn new(
        functions: Arc<Functions>,
        statistics: Arc<Statistics>,
        logs: Arc<dyn LogSource>,
        metrics: Arc<dyn MetricSource>,
    ) -> Arc<Self> {
        Arc::new(Self {
            functions,
            statistics,
            logs,
            metrics,
        })
    }

    /// `limit` is 1–1000. Newest last.
    pub async fn lines(
        &self,
        actor: &Actor,
        function: &FunctionId,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<LogLine>> {
        let mut lines = self.newest_lines(actor, function, limit, after).await?;
        lines.reverse();
        Ok(lines)
    }

    /// `limit` is 1–1000. Newest first.
    pub async fn newest_lines(
        &self,
        _actor: &Actor,
        function: &FunctionId,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<LogLine>> {
        if !(1..=1_000).contains(&limit) {
            return Err(Error::validation(
                "limit",
                "Choose a limit between 1 and 1000.",
            ));
        }
        self.functions.workspace_of(function).await?;
        self.logs.lines(function, limit, after).await
    }

    pub async fn cpu(&self, _actor: &Actor, function: &FunctionId) -> Result<CpuMetrics> {
        self.functions.workspace_of(function).await?;
        self.metrics.cpu(function).await
    }

    pub async fn metrics(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
    ) -> Result<FunctionMetrics> {
        self.functions.record(workspace, function).await?;
        let scope = Scope::function(function);
        Ok(FunctionMetrics {
            function_id: function.clone(),
            cpu: self.metrics.cpu(function).await?,
            hour: self.statistics.last(&scope, HOUR).await?,
            series: self.statistics.series(&scope, HOUR, 300).await?,
        })
    }
}
