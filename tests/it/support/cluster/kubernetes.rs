//! FAKE: objects of the Kubernetes API, in the form of its documentation.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::{Name, World};

type Shared = Arc<Mutex<World>>;

pub fn object() -> MethodRouter<Shared> {
    any(
        async |State(world): State<Shared>,
               Path((_, _, namespace, kind, name)): Path<(
            String,
            String,
            String,
            String,
            String,
        )>,
               request: Request| answer(&world, &kind, (namespace, name), request).await,
    )
}

pub fn core_object() -> MethodRouter<Shared> {
    any(
        async |State(world): State<Shared>,
               Path((_, namespace, kind, name)): Path<(String, String, String, String)>,
               request: Request| answer(&world, &kind, (namespace, name), request).await,
    )
}

fn status(code: StatusCode, message: &str) -> Response {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code.as_u16()});
    (code, Json(status)).into_response()
}

async fn answer(world: &Shared, kind: &str, name: Name, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    if parts.method == Method::DELETE {
        if let Some(held) = &mut world.lock().expect("not poisoned").held_deletions {
            *held += 1;
        }
        while world.lock().expect("not poisoned").held_deletions.is_some() {
            tokio::time::sleep(super::POLL).await;
        }
    }
    let mut world = world.lock().expect("not poisoned");
    if world.kubernetes_is_away {
        return status(StatusCode::SERVICE_UNAVAILABLE, "etcd has no leader");
    }
    let expected = format!("Bearer {}", world.token);
    if parts
        .headers
        .get(header::AUTHORIZATION)
        .is_none_or(|sent| *sent != expected)
    {
        return status(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    let World {
        spin_apps,
        scalers,
        services,
        patches,
        ..
    } = &mut *world;
    let objects: &mut BTreeMap<Name, Value> = match kind {
        "spinapps" => spin_apps,
        "horizontalpodautoscalers" => scalers,
        "services" => services,
        _ => {
            return status(
                StatusCode::NOT_FOUND,
                "the server could not find the requested resource",
            );
        }
    };
    let missing = || {
        status(
            StatusCode::NOT_FOUND,
            &format!("{kind} \"{}\" not found", name.1),
        )
    };
    match parts.method {
        Method::GET => match objects.get(&name) {
            Some(found) => Json(found.clone()).into_response(),
            None => missing(),
        },
        Method::DELETE => match objects.remove(&name) {
            Some(_) => Json(json!({"kind": "Status", "status": "Success"})).into_response(),
            None => missing(),
        },
        Method::PATCH => {
            let merge = "application/merge-patch+json";
            if parts
                .headers
                .get(header::CONTENT_TYPE)
                .is_none_or(|sent| *sent != merge)
            {
                return status(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "the body of the request was in an unknown format",
                );
            }
            let Ok(patch) = serde_json::from_slice::<Value>(&body) else {
                return status(StatusCode::BAD_REQUEST, "the body is no JSON");
            };
            let Some(found) = objects.get_mut(&name) else {
                return missing();
            };
            patches.push(patch.clone());
            merge_patch(found, patch);
            Json(found.clone()).into_response()
        }
        _ => status(
            StatusCode::METHOD_NOT_ALLOWED,
            "the server does not allow this method",
        ),
    }
}

/// RFC 7386.
fn merge_patch(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().expect("an object").remove(&name);
        } else {
            merge_patch(&mut target[&name], value);
        }
    }
}
