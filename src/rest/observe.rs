//! `/api/functions/{fn}/loki-logs` and `/metrics`

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::description::parameters::{
    FunctionPath, LastEventId, LimitTo1000, WorkspaceFunctionPath,
};
use super::error::{Envelope, Result};
use super::extract::{Id, Ids, Parameters};
use super::functions::ids_of;
use super::live::{FollowedLines, Streams, last_event_id, wants_events};
use crate::model::id::FunctionId;
use crate::model::metrics::{LogLine, Sample, Timings};
use crate::service::Services;
use crate::service::actor::Actor;

#[derive(Serialize, ToSchema)]
pub struct Line {
    /// Nanoseconds since the epoch, as Loki writes them.
    timestamp: String,
    line: String,
}

impl From<LogLine> for Line {
    fn from(line: LogLine) -> Self {
        Self {
            timestamp: line.nanos.to_string(),
            line: line.text,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct LinesResponse {
    logs: Vec<Line>,
    total: usize,
    function_id: FunctionId,
}

/// Lines that a function wrote.
///
/// What the function printed, from Loki or from its recorded executions. With `Accept: text/event-stream` it is a stream from now on: an
/// event `line` each, with the line's time in nanoseconds as the event's id.
#[utoipa::path(
    get, path = "/api/functions/{fn}/loki-logs", operation_id = "list_lines", tag = "executions",
    params(FunctionPath, LimitTo1000, LastEventId),
    responses(
        (status = 200, description = "Newest first; with `Accept: text/event-stream` an event `line` for each that is written", content(
            (LinesResponse = "application/json"),
            (String = "text/event-stream"),
        )),
        (status = 503, description = "`LOKI_CONNECTION_ERROR`, or `OVERLOADED`", body = Envelope),
    ),
)]
pub async fn lines(
    State(services): State<Services>,
    Extension(streams): Extension<Streams>,
    Id(function): Id<FunctionId>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response> {
    if wants_events(&headers) {
        let ids = ids_of(&services, function).await?;
        let followed = FollowedLines::new(services, ids, last_event_id(&headers));
        return Ok(streams.events(followed).await?);
    }
    let limit = parameters.limit()?.unwrap_or(100) as usize;
    let lines = services
        .observe
        .newest_lines(&Actor::anonymous(), &function, limit, None)
        .await?;
    let logs: Vec<Line> = lines.into_iter().map(Line::from).collect();
    Ok(Json(LinesResponse {
        total: logs.len(),
        logs,
        function_id: function,
    })
    .into_response())
}

/// Where the time of the newest 200 calls went.
///
/// The median and the 95th percentile of waiting, starting and running, of memory and page faults, over the newest 200 calls. It shows
/// whether a function is slow itself or waits for a place.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}/functions/{fn}/timings", operation_id = "get_timings", tag = "executions",
    params(WorkspaceFunctionPath),
    responses((status = 200, description = "Where the time of the newest calls went", body = Timings)),
)]
pub async fn timings(State(services): State<Services>, ids: Ids) -> Result<Json<Timings>> {
    let timings = services
        .observe
        .timings(&Actor::anonymous(), &ids.workspace, &ids.function)
        .await?;
    Ok(Json(timings))
}

#[derive(Serialize, ToSchema)]
pub struct MetricsData {
    cpu_total: Option<f64>,
    cpu_series: Vec<Sample>,
    window_seconds: u32,
    instant_query: String,
    range_query: String,
}

#[derive(Serialize, ToSchema)]
pub struct MetricsResponse {
    /// `success`, or `partial` where one query failed.
    status: &'static str,
    function_id: FunctionId,
    data: MetricsData,
}

/// CPU use of a function.
///
/// Processor use of the last hour, from Prometheus or as measured in its calls. Where one of the two queries fails the status is `partial`
/// and its part empty.
#[utoipa::path(
    get, path = "/api/functions/{fn}/metrics", operation_id = "get_metrics", tag = "executions",
    params(FunctionPath),
    responses(
        (status = 200, description = "CPU use; `partial` where one of the two queries failed", body = MetricsResponse),
        (status = 503, description = "`PROMETHEUS_CONNECTION_ERROR`, or `OVERLOADED`", body = Envelope),
    ),
)]
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
