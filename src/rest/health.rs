//! `/health`

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use crate::service::Services;

pub async fn health() -> Json<Value> {
    Json(json!({"status": "healthy"}))
}

pub async fn live() -> Json<Value> {
    Json(json!({"status": "healthy"}))
}

/// Each dependency by name; 503 when one that requests need is down.
pub async fn ready(State(services): State<Services>) -> (StatusCode, Json<Value>) {
    let checks = services.health.check().await;
    let ready = checks
        .iter()
        .all(|check| check.failure.is_none() || !check.required);
    let dependencies: serde_json::Map<String, Value> = checks
        .into_iter()
        .map(|check| {
            (
                check.name.to_owned(),
                Value::from(check.failure.unwrap_or_else(|| "ok".to_owned())),
            )
        })
        .collect();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(
            json!({"status": if ready { "ready" } else { "not ready" }, "dependencies": dependencies}),
        ),
    )
}
