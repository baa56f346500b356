//! `/health`

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::service::Services;

#[derive(Serialize, ToSchema)]
pub struct HealthResponse {
    #[schema(example = "healthy")]
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
pub struct ReadyResponse {
    /// `ready` or `not ready`.
    status: &'static str,
    /// `ok` or `failing`, by name.
    dependencies: BTreeMap<&'static str, String>,
}

/// Whether the server runs.
///
/// For load balancers: it asks nothing of what the server needs. `/health/ready` does.
#[utoipa::path(
    get, path = "/health", operation_id = "health", tag = "health",
    responses((status = 200, description = "The server runs", body = HealthResponse)),
)]
pub async fn health() -> Json<HealthResponse> {
    Json(HealthResponse { status: "healthy" })
}

/// Whether the server runs.
///
/// For an orchestrator that restarts what is stuck. The same as `/health`.
#[utoipa::path(
    get, path = "/health/live", operation_id = "live", tag = "health",
    responses((status = 200, description = "The server runs", body = HealthResponse)),
)]
pub async fn live() -> Json<HealthResponse> {
    Json(HealthResponse { status: "healthy" })
}

/// Whether the server can do its work.
///
/// Each dependency by name, `ok` or what is wrong; 503 when one that requests need does not answer.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "ready", tag = "health",
    responses(
        (status = 200, description = "It can do its work", body = ReadyResponse),
        (status = 503, description = "Something that requests need does not answer", body = ReadyResponse, example = json!({"status": "not ready", "dependencies": {"store": "The disk is full.", "blobs": "ok", "builder": "ok", "platform": "ok"}})),
    ),
)]
pub async fn ready(State(services): State<Services>) -> (StatusCode, Json<ReadyResponse>) {
    let checks = services.health.check().await;
    let ready = checks
        .iter()
        .all(|check| check.failure.is_none() || !check.required);
    let dependencies = checks.into_iter().map(|check| {
        let state = check.failure.unwrap_or_else(|| "ok".to_owned());
        (check.name, state)
    });
    let (code, status) = if ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let dependencies = dependencies.collect();
    (
        code,
        Json(ReadyResponse {
            status,
            dependencies,
        }),
    )
}
