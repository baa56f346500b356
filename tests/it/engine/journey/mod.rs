//! Stories around real builds. Each build costs ten seconds of CPU and more: a story tells much, and there are few.

mod canary;
mod cancelled;
mod deployed;
mod failing;
mod killed;
mod streams;
mod versions;

use http::Method;
use serde_json::Value;
use std::time::{Duration, Instant};

use crate::support::app::TestApp;
use crate::support::builders::{Function, text};

/// A first build on a cold cache and a busy machine.
pub(super) const BUILD_TIMEOUT: Duration = Duration::from_secs(150);
const POLL: Duration = Duration::from_millis(100);

/// Uploads a module as a function's source and answers the task that builds it and pushes its image.
pub(super) async fn build_and_push(app: &TestApp, function: &Function, python: &str) -> String {
    build_with(app, function, python, &[]).await
}

/// The same with more fields in the request.
async fn build_with(
    app: &TestApp,
    function: &Function,
    python: &str,
    fields: &[(&str, &str)],
) -> String {
    let own = [
        ("workspace_id", function.workspace.as_str()),
        ("function_id", function.id.as_str()),
        ("app_name", "Journey App"),
        ("registry_url", "registry.example.com/team/journey"),
    ];
    let accepted = app
        .upload(
            Method::POST,
            "/api/v1/build-and-push",
            ("app.py", python),
            &[&own, fields].concat(),
        )
        .await
        .with_status(202);
    assert_eq!(accepted["status"], "pending");
    text(&accepted, "task_id")
}

async fn task(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/v1/tasks/{id}"))
        .await
        .with_status(200)
}

pub(super) async fn task_log(app: &TestApp, id: &str) -> String {
    let log = app.get(&format!("/api/v1/tasks/{id}/log")).await;
    assert_eq!(log.status, 200);
    log.text()
}

/// The task once it is as `wanted`, within a time.
pub(super) async fn task_when(
    app: &TestApp,
    id: &str,
    timeout: Duration,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let deadline = Instant::now() + timeout;
    loop {
        let task = task(app, id).await;
        if wanted(&task) {
            return task;
        }
        assert!(Instant::now() < deadline, "after {timeout:?}: {task}");
        tokio::time::sleep(POLL).await;
    }
}

pub(super) fn has_ended(task: &Value) -> bool {
    ["done", "failed", "cancelled"]
        .iter()
        .any(|status| task["status"] == *status)
}

/// What a stage of the task is: `waiting`, `running`, `done`, `failed`, `skipped`.
pub(super) fn stage<'a>(task: &'a Value, name: &str) -> &'a str {
    task["stages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|stage| stage["name"] == name)
        .and_then(|stage| stage["status"].as_str())
        .unwrap_or_default()
}

/// Waits until the builder itself runs, as a process.
async fn wait_for_the_builder(app: &TestApp, id: &str) {
    task_when(app, id, BUILD_TIMEOUT, |task| {
        assert!(!has_ended(task), "the build ended too early: {task}");
        stage(task, "build") == "running"
    })
    .await;
    let deadline = Instant::now() + Duration::from_mins(1);
    while app.build_processes().is_empty() {
        assert!(Instant::now() < deadline, "no process builds");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(super) async fn versions(app: &TestApp, function: &Function) -> Value {
    app.get(&format!("/api/v1/functions/{}/versions", function.id))
        .await
        .with_status(200)
}
