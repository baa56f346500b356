//! A server that is killed in the middle of a build.

use serde_json::json;
use std::time::{Duration, Instant};

use super::{
    BUILD_TIMEOUT, build_and_push, has_ended, task_log, task_when, versions, wait_for_the_builder,
};
use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace, text};

const HELLO: &str = include_str!("../../../fixtures/hello.py");

#[tokio::test]
async fn a_build_whose_server_is_killed_ends_after_the_next_start_with_one_version() {
    // The builder that takes long enough to be found in the middle.
    let mut app = TestApp::start_for_builds_with(&[("BLUE_FAAS_BUILDER", "componentize")]);
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let id = build_and_push(&app, &function, HELLO).await;
    wait_for_the_builder(&app, &id).await;
    let orphans = app.build_processes();

    app.kill();
    app.start_again();
    let stopped = Instant::now() + Duration::from_mins(1);
    while app
        .build_processes()
        .iter()
        .any(|process| orphans.contains(process))
    {
        assert!(
            Instant::now() < stopped,
            "what the killed server left still builds"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ended = task_when(&app, &id, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(ended["status"], "done", "{ended}");
    let log = task_log(&app, &id).await;
    assert!(
        log.contains("The server stopped in the middle of this build; it starts again."),
        "{log}"
    );

    let versions = versions(&app, &function).await;
    assert_eq!(versions.as_array().map(Vec::len), Some(1), "{versions}");
    assert_eq!(versions[0]["number"], 1);
    assert_eq!(versions[0]["task_id"], id);

    let image = text(&ended["result"], "image_url");
    let deployment = json!({"namespace": "default", "image_ref": image});
    let deployed = app
        .post("/api/v1/deploy", &deployment)
        .await
        .with_status(200);
    let name = text(&deployed, "app_name");
    assert!(name.starts_with("spin-"), "a name was made up: {name}");
    assert_eq!(app.call(&name, "/").await.text(), "Hello from Blue FaaS!");
    // The image's task tells whose deployment it is.
    assert_eq!(function.read(&app).await["appName"], name);
}
