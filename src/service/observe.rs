//! Live lines and metrics of a function.

use std::sync::Arc;

use super::actor::Actor;
use super::executions::Executions;
use super::functions::Functions;
use super::statistics::{Scope, Statistics};
use crate::model::error::{Error, Result};
use crate::model::execution::ExecutionFilter;
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::metrics::{CpuMetrics, FunctionMetrics, LogLine, Timings};
use crate::port::logs::LogSource;
use crate::port::metrics::MetricSource;

const HOUR: i64 = 3_600;
/// Calls that timings are made of: their records are read for it.
const TIMED: u32 = 200;

pub struct Observe {
    functions: Arc<Functions>,
    statistics: Arc<Statistics>,
    logs: Arc<dyn LogSource>,
    metrics: Arc<dyn MetricSource>,
    executions: Arc<Executions>,
}

impl Observe {
    pub fn new(
        functions: Arc<Functions>,
        statistics: Arc<Statistics>,
        logs: Arc<dyn LogSource>,
        metrics: Arc<dyn MetricSource>,
        executions: Arc<Executions>,
    ) -> Arc<Self> {
        Arc::new(Self {
            functions,
            statistics,
            logs,
            metrics,
            executions,
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
        actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
    ) -> Result<FunctionMetrics> {
        self.functions.record(workspace, function).await?;
        let scope = Scope::function(function);
        // The page shows what there is: the other figures have another source.
        let cpu = self.metrics.cpu(function).await;
        Ok(FunctionMetrics {
            function_id: function.clone(),
            cpu: cpu.unwrap_or_else(|_| CpuMetrics::unknown()),
            hour: self.statistics.last(&scope, HOUR).await?,
            series: self.statistics.series(&scope, HOUR, 300).await?,
            timings: self.timings(actor, workspace, function).await?,
        })
    }

    /// Of the newest calls.
    pub async fn timings(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
    ) -> Result<Timings> {
        let newest = ExecutionFilter {
            limit: Some(TIMED),
            ..ExecutionFilter::default()
        };
        let page = self.executions.list(actor, workspace, function, &newest);
        Ok(Timings::of(&page.await?.executions))
    }
}
