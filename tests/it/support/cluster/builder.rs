//! FAKE: the Builder Service's answers, in the form of its documentation.

use axum::Json;
use axum::extract::{Multipart, Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

use super::{World, service};

type Shared = State<Arc<Mutex<World>>>;

/// A build that is done after it was asked for twice.
pub struct Task {
    asked: u32,
    /// Absent without a registry to push to.
    image: Option<String>,
}

const NAMESPACES: [&str; 2] = ["default", "team"];

pub async fn deploy(State(world): Shared, Json(request): Json<Value>) -> Response {
    world
        .lock()
        .expect("not poisoned")
        .deploys
        .push(request.clone());
    let image = request["image_ref"].as_str();
    let is_held =
        || image.is_some() && world.lock().expect("not poisoned").held_image.as_deref() == image;
    while is_held() {
        tokio::time::sleep(super::POLL).await;
    }
    let mut world = world.lock().expect("not poisoned");
    if let Some((status, answer)) = &world.deploy_answer {
        let status = StatusCode::from_u16(*status).expect("a status");
        return (status, Json(answer.clone())).into_response();
    }
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let namespace = text("namespace");
    if !NAMESPACES.contains(&namespace.as_str()) {
        let detail = format!("Namespace '{namespace}' not found");
        return (StatusCode::NOT_FOUND, Json(json!({"detail": detail}))).into_response();
    }
    let app = text("app_name").replace(['-', '_', ' '], "");
    let name = (namespace.clone(), app.clone());
    let autoscaling = request["enable_autoscaling"] != false;
    let mut labels = json!({"faas": "true"});
    if request["function_id"].is_string() {
        labels["function_id"] = request["function_id"].clone();
    }
    let known = world.spin_apps.entry(name.clone()).or_insert_with(
        || json!({"apiVersion": "core.spinkube.dev/v1alpha1", "kind": "SpinApp", "metadata": {"name": app, "namespace": namespace}, "spec": {}}),
    );
    known["spec"]["image"] = request["image_ref"].clone();
    known["spec"]["podLabels"] = labels;
    known["spec"]["enableAutoscaling"] = autoscaling.into();
    if autoscaling {
        let scaler = (namespace.clone(), format!("{app}-hpa"));
        let target = json!({"kind": "Deployment", "name": app});
        let value = json!({"kind": "HorizontalPodAutoscaler", "spec": {"scaleTargetRef": target}});
        world.scalers.insert(scaler, value);
    }
    let waits = world.services_wait && !world.services.contains_key(&name);
    if !waits {
        world.services.insert(name.clone(), service(&name));
    }
    if let Some((status, answer)) = &world.done_answer {
        let status = StatusCode::from_u16(*status).expect("a status");
        return (status, Json(answer.clone())).into_response();
    }
    let endpoint = (!waits).then(|| format!("{app}.{namespace}.svc.cluster.local"));
    Json(json!({
        "app_name": app, "namespace": namespace, "service_name": app,
        "service_status": if waits { "pending" } else { "found" },
        "endpoint": endpoint, "enable_autoscaling": autoscaling, "use_spot": request["use_spot"], "error": null,
    }))
    .into_response()
}

/// Pushes where a registry is named.
pub async fn build_and_push(State(world): Shared, mut form: Multipart) -> Response {
    let mut texts = std::collections::BTreeMap::new();
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let content = field.bytes().await.unwrap_or_default();
        texts.insert(name, String::from_utf8_lossy(&content).into_owned());
    }
    let mut world = world.lock().expect("not poisoned");
    let id = uuid::Uuid::now_v7().to_string();
    let tag = texts.get("tag").filter(|tag| *tag != "sha256").cloned();
    let tag = tag.unwrap_or_else(|| id.clone());
    let image = texts.get("registry_url");
    let image = image.map(|registry| format!("{registry}:{tag}"));
    world.tasks.insert(id.clone(), Task { asked: 0, image });
    let answer = json!({"task_id": id, "status": "pending", "message": "accepted", "source_s3_path": format!("s3://bucket/build-sources/{id}/app.py")});
    (StatusCode::ACCEPTED, Json(answer)).into_response()
}

pub async fn push(State(world): Shared, Json(request): Json<Value>) -> Response {
    let mut world = world.lock().expect("not poisoned");
    let id = uuid::Uuid::now_v7().to_string();
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let image = Some(format!("{}:{}", text("registry_url"), text("tag")));
    world.tasks.insert(id.clone(), Task { asked: 0, image });
    let answer = json!({"task_id": id, "status": "pending", "message": "accepted", "source_s3_path": request["s3_source_path"]});
    (StatusCode::ACCEPTED, Json(answer)).into_response()
}

pub async fn task(State(world): Shared, Path(id): Path<String>) -> Response {
    let mut world = world.lock().expect("not poisoned");
    let Some(task) = world.tasks.get_mut(&id) else {
        let answer = json!({"detail": "Task not found"});
        return (StatusCode::NOT_FOUND, Json(answer)).into_response();
    };
    task.asked += 1;
    let answer = match task.asked {
        1 => json!({"task_id": id, "status": "building", "result": null, "error": null}),
        2 => json!({"task_id": id, "status": "pushing", "result": null, "error": null}),
        _ => {
            let result = json!({"image_url": task.image, "wasm_path": format!("s3://bucket/build-artifacts/{id}/app.wasm")});
            json!({"task_id": id, "status": "done", "result": result, "error": null})
        }
    };
    Json(answer).into_response()
}
