//! FAKE: what runs in the pods of a SpinApp. It says what it was asked, and does what the path says.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::World;

pub async fn answer(world: &Arc<Mutex<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let host = parts.uri.host().unwrap_or_default().to_owned();
    let named = host
        .strip_suffix(".svc.cluster.local")
        .and_then(|inner| inner.split_once('.'));
    let found = named.and_then(|(name, namespace)| {
        let name = (namespace.to_owned(), name.to_owned());
        world
            .lock()
            .expect("not poisoned")
            .spin_apps
            .get(&name)
            .cloned()
    });
    let Some(app) = found else {
        // What a proxy says of a name that it cannot look up.
        return (StatusCode::BAD_GATEWAY, format!("no service at {host}")).into_response();
    };
    let body = axum::body::to_bytes(body, 1 << 24).await.expect("a body");
    let query: u64 = parts
        .uri
        .query()
        .and_then(|query| query.parse().ok())
        .unwrap_or_default();
    match parts.uri.path() {
        "/echo" => Json(json!({
            "method": parts.method.as_str(), "host": host, "path": parts.uri.path(), "query": parts.uri.query(),
            "headers": headers(&parts.headers), "body": String::from_utf8_lossy(&body),
            "image": app["spec"]["image"], "variables": app["spec"]["variables"],
        }))
        .into_response(),
        "/status" => StatusCode::from_u16(query as u16).expect("a status").into_response(),
        "/slow" => {
            world.lock().expect("not poisoned").slow_calls += 1;
            tokio::time::sleep(Duration::from_millis(query)).await;
            "late".into_response()
        }
        "/large" => vec![b'a'; query as usize].into_response(),
        "/stream" => stream(query),
        "/cookies" => [
            (header::SET_COOKIE, "blue_faas_theme=evil"),
            (header::SERVER, "pod"),
        ]
        .into_response(),
        _ => format!("Hello from {}", app["spec"]["image"].as_str().unwrap_or_default()).into_response(),
    }
}

/// Pieces, one every 100 ms.
fn stream(count: u64) -> Response {
    let pieces = futures::stream::unfold(0, move |at| async move {
        if at == count {
            return None;
        }
        if at > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let piece: Result<Bytes, Infallible> = Ok(format!("piece {at}\n").into());
        Some((piece, at + 1))
    });
    Body::from_stream(pieces).into_response()
}

fn headers(headers: &HeaderMap) -> Value {
    let pairs = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), Value::from(value))
    });
    Value::Object(pairs.collect())
}
