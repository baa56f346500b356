//! `/api/functions/{fn}/loki-logs` and `/metrics`

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::error::Result;
use super::extract::{Id, Ids, Parameters};
use crate::model::id::FunctionId;
use crate::model::metrics::{Sample, Timings};
use crate::service::Services;
use crate::service::actor::Actor;

#[derive(Serialize)]
pub struct Line {
    /// Nanoseconds since the epoch, as Loki writes them.
    timestamp: String,
    line: String,
}

#[derive(Serialize)]
pub struct LinesResponse {
    logs: Vec<Line>,
    total: usize,
    function_id: FunctionId,
}

/// Newest first.
pub async fn lines(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
    parameters: Parameters,
) -> Result<Json<LinesResponse>> {
    let limit = parameters.limit()?.unwrap_or(100) as usize;
    let lines = services
        .observe
        .newest_lines(&Actor::anonymous(), &function, limit, None)
        .await?;
    let logs: Vec<Line> = lines
        .into_iter()
        .map(|line| Line {
            timestamp: line.nanos.to_string(),
            line: line.text,
        })
        .collect();
    Ok(Json(LinesResponse {
        total: logs.len(),
        logs,
        function_id: function,
    }))
}

/// Where the time of the newest 200 calls went.
pub async fn timings(State(services): State<Services>, ids: Ids) -> Result<Json<Timings>> {
    let timings = services
        .observe
        .timings(&Actor::anonymous(), &ids.workspace, &ids.function)
        .await?;
    Ok(Json(timings))
}

#[derive(Serialize)]
pub struct MetricsData {
    cpu_total: Option<f64>,
    cpu_series: Vec<Sample>,
    window_seconds: u32,
    instant_query: String,
    range_query: String,
}

#[derive(Serialize)]
pub struct MetricsResponse {
    status: &'static str,
    function_id: FunctionId,
    data: MetricsData,
}

pub async fn metrics(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
) -> Result<Json<MetricsResponse>> {
    let cpu = services.observe.cpu(&Actor::anonymous(), &function).await?;
    let status = if cpu.cpu_total.is_some() && cpu.cpu_series.is_some() {
        "success"
    } else {
        "partial"
    };
    let data = MetricsData {
        cpu_total: cpu.cpu_total,
        cpu_series: cpu.cpu_series.unwrap_or_default(),
        window_seconds: cpu.window_seconds,
        instant_query: cpu.instant_query,
        range_query: cpu.range_query,
    };
    Ok(Json(MetricsResponse {
        status,
        function_id: function,
        data,
    }))
}
