//! A build that nobody wants any more.

use serde_json::json;
use std::time::{Duration, Instant};

use super::{build_and_push, has_ended, stage, task_when, versions, wait_for_the_builder};
use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace};

const HELLO: &str = include_str!("../../../fixtures/hello.py");

#[tokio::test]
async fn a_cancelled_build_ends_at_once_and_takes_its_processes_along() {
    // The builder that takes long enough to be found in the middle.
    let app = TestApp::start_for_builds_with(&[("BLUE_FAAS_BUILDER", "componentize")]);
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let running = build_and_push(&app, &function, HELLO).await;
    wait_for_the_builder(&app, &running).await;
    assert_eq!(function.read(&app).await["status"], "building");

    // One build runs at a time: the next one waits, and ends without having begun.
    let waiting = build_and_push(&app, &function, HELLO).await;
    let cancelled = app
        .post(&format!("/api/v1/tasks/{waiting}/cancel"), &json!({}))
        .await
        .with_status(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(stage(&cancelled, "validate"), "skipped");

    let asked = Instant::now();
    app.post(&format!("/api/v1/tasks/{running}/cancel"), &json!({}))
        .await
        .with_status(200);
    let ended = task_when(&app, &running, Duration::from_secs(30), has_ended).await;
    assert_eq!(ended["status"], "cancelled");
    assert_eq!(ended["result"], json!(null));
    while !app.build_processes().is_empty() {
        assert!(
            asked.elapsed() < Duration::from_secs(30),
            "{:?} still run",
            app.build_processes()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    assert_eq!(versions(&app, &function).await, json!([]));
    assert_eq!(function.read(&app).await["status"], "active");
    // Whoever asks again, because an answer got lost, has what was wanted.
    let again = app
        .post(&format!("/api/v1/tasks/{running}/cancel"), &json!({}))
        .await
        .with_status(200);
    assert_eq!(again, ended);
}
