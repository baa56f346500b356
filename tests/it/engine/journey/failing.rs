//! Builds that fail say where and what to do, and can be tried again.

use serde_json::{Value, json};

use super::{BUILD_TIMEOUT, build_and_push, has_ended, stage, task_log, task_when, versions};
use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace, text};

const WRONG_TYPE: &str = "\
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        status: int = \"two hundred\"
        return Response(status, {}, b\"never\")
";
const NO_HANDLER: &str = "def nothing() -> None:\n    pass\n";
const NO_PYTHON: &str = "class IncomingHandler(:\n    pass\n";

async fn failed_build(app: &TestApp, function: &Function, python: &str) -> (String, Value) {
    let id = build_and_push(app, function, python).await;
    let ended = task_when(app, &id, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert_eq!(ended["result"], json!(null));
    assert_eq!(stage(&ended, "validate"), "failed");
    assert_eq!(stage(&ended, "build"), "skipped");
    (id, ended)
}

#[tokio::test]
async fn a_build_that_fails_names_the_line_and_can_be_tried_again() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;

    let (id, failed) = failed_build(&app, &function, WRONG_TYPE).await;
    let error = text(&failed, "error");
    assert!(
        error.starts_with("MyPy validation failed: app.py:6: error: Incompatible types"),
        "{error}"
    );
    let log = task_log(&app, &id).await;
    assert!(log.contains("[validate] app.py:6:"), "{log}");
    assert_eq!(function.read(&app).await["status"], "failed");

    let retried = app
        .post(&format!("/api/v1/tasks/{id}/retry"), &json!({}))
        .await
        .with_status(202);
    let again = text(&retried, "task_id");
    assert_ne!(again, id);
    let source = text(&retried, "source_s3_path");
    assert!(source.contains(&again), "its source is its own: {source}");
    let ended = task_when(&app, &again, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(text(&ended, "error"), error);

    let (_, failed) = failed_build(&app, &function, NO_HANDLER).await;
    let error = text(&failed, "error");
    assert!(
        error.contains("module 'app' has no attribute 'IncomingHandler'"),
        "{error}"
    );
    assert!(
        error.contains("class IncomingHandler(BaseHandler)"),
        "{error}"
    );

    let (_, failed) = failed_build(&app, &function, NO_PYTHON).await;
    let error = text(&failed, "error");
    assert!(error.starts_with("app.py:1: Syntax error"), "{error}");

    assert_eq!(versions(&app, &function).await, json!([]));
    let tasks = app
        .get(&format!("/api/v1/workspaces/{}/tasks", workspace.id))
        .await
        .with_status(200);
    assert_eq!(tasks["count"], 4);
    for task in tasks["tasks"].as_array().expect("tasks") {
        assert_eq!(task["status"], "failed");
        assert_eq!(task["app_name"], "journey-app");
    }
}
