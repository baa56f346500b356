//! Functions that are snapshots: what must hold although all of them begin with one and the same memory.

use http::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::journey::{BUILD_TIMEOUT, build_and_push, has_ended, stage, task_log, task_when};
use crate::platform::fixture::{Fixture, get, text as body_of};
use crate::support::app::TestApp;
use crate::support::archive::zip;
use crate::support::builders::{Function, a_function, a_workspace, text};
use crate::support::components::component;

/// The name that [`build_and_push`] gives.
const APP: &str = "journey-app";

const COUNTER: &str = "\
import json
import os
import random
import secrets
import time
import uuid

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

COUNT = [0]
LOADED = time.time()


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        COUNT[0] += 1
        os.environ['LEFT'] = os.environ.get('LEFT', '') + 'x'
        print('called', request.uri)
        answer = {
            'count': COUNT[0],
            'left': os.environ['LEFT'],
            'fresh': [random.random(), str(uuid.uuid4()), secrets.token_hex(8)],
            'greeting': os.environ.get('GREETING'),
            'waited': time.time() - LOADED,
        }
        return Response(200, {'content-type': 'application/json'}, bytes(json.dumps(answer), 'utf-8'))
";

/// A function whose source was built and is deployed, and the log of its build.
async fn deployed(app: &TestApp, python: &str) -> (Function, String) {
    let workspace = a_workspace().create(app).await;
    let function = a_function().create(app, &workspace).await;
    let id = build_and_push(app, &function, python).await;
    let built = task_when(app, &id, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(
        built["status"],
        "done",
        "{built}\n{}",
        task_log(app, &id).await
    );
    deploy(app, &function, &text(&built["result"], "image_url")).await;
    (function, task_log(app, &id).await)
}

async fn deploy(app: &TestApp, function: &Function, image: &str) {
    let request = json!({"app_name": APP, "namespace": "default", "image_ref": image, "function_id": function.id});
    app.post("/api/v1/deploy", &request).await.with_status(200);
}

fn texts(answer: &Value) -> Vec<String> {
    answer["fresh"]
        .as_array()
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect()
}

#[tokio::test]
async fn every_request_begins_with_the_memory_of_the_import_and_nothing_else() {
    let mut app = TestApp::start_for_builds();
    let (function, log) = deployed(&app, COUNTER).await;
    assert!(log.contains("[build] Took a snapshot of "), "{log}");
    let mut fresh = HashSet::new();
    for _ in 0..5 {
        let answer = app.call(APP, "/").await.with_status(200);
        assert_eq!(
            (&answer["count"], &answer["left"]),
            (&json!(1), &json!("x"))
        );
        assert!(answer["waited"].as_f64().is_some_and(|waited| waited > 0.0));
        assert!(
            texts(&answer).into_iter().all(|value| fresh.insert(value)),
            "{answer}"
        );
    }
    let change = json!({"environmentVariables": {"GREETING": "annyeong"}});
    app.patch(&function.path(), &change).await.with_status(200);
    let answer = app.call(APP, "/").await.with_status(200);
    assert_eq!(answer["greeting"], "annyeong");

    // The image is all there is of it: nothing is built or compiled for the next server.
    app.kill();
    app.start_again();
    let answer = app.call(APP, "/").await.with_status(200);
    assert_eq!(answer["count"], 1);
    assert!(
        texts(&answer).into_iter().all(|value| fresh.insert(value)),
        "{answer}"
    );
}

#[tokio::test]
async fn a_function_with_much_in_its_memory_has_it_in_every_request_and_after_a_restart() {
    let mut app = TestApp::start_for_builds();
    let large = "TABLE = [bytes([number % 251]) * 1000 for number in range(9000)]\n";
    let source = COUNTER
        .replace("COUNT = [0]\n", &format!("COUNT = [0]\n{large}"))
        .replace(
            "'left': os",
            "'table': sum(map(sum, TABLE[::90])), 'left': os",
        );
    let (_, log) = deployed(&app, &source).await;
    assert!(log.contains("[build] Took a snapshot of "), "{log}");
    let first = app.call(APP, "/").await.with_status(200);
    let second = app.call(APP, "/").await.with_status(200);
    assert_eq!((&first["count"], &second["count"]), (&json!(1), &json!(1)));
    let sum: u64 = (0..9000_u64)
        .step_by(90)
        .map(|number| number % 251 * 1000)
        .sum();
    assert_eq!(
        (&first["table"], &second["table"]),
        (&json!(sum), &json!(sum))
    );
    app.kill();
    app.start_again();
    let third = app.call(APP, "/").await.with_status(200);
    assert_eq!((&third["count"], &third["table"]), (&json!(1), &json!(sum)));
}

#[tokio::test]
async fn an_exception_while_the_module_loads_has_its_line_and_output() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let source =
        format!("{COUNTER}\n\nprint('loading')\nvalues = {{'a': 1}}\nprint(values['b'])\n");
    let id = build_and_push(&app, &function, &source).await;
    let failed = task_when(&app, &id, BUILD_TIMEOUT, has_ended).await;
    let line = source.lines().count();
    assert_eq!(
        text(&failed, "error"),
        format!("app.py:{line}: KeyError: 'b'")
    );
    let log = task_log(&app, &id).await;
    assert!(log.contains("[build] loading"), "{log}");
}

#[tokio::test]
async fn an_endless_loop_while_the_module_loads_ends_when_it_is_cancelled() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let source = format!("{COUNTER}\n\nwhile True:\n    pass\n");
    let id = build_and_push(&app, &function, &source).await;
    task_when(&app, &id, BUILD_TIMEOUT, |task| {
        stage(task, "build") == "running"
    })
    .await;
    let asked = Instant::now();
    app.post(&format!("/api/v1/tasks/{id}/cancel"), &json!({}))
        .await
        .with_status(200);
    let ended = task_when(&app, &id, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(ended["status"], "cancelled");
    assert!(
        asked.elapsed() < Duration::from_secs(30),
        "{:?}",
        asked.elapsed()
    );
}

#[tokio::test]
async fn what_a_snapshot_does_not_suit_is_built_whole_and_the_log_says_why() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let archive = zip(&[
        ("app.py", COUNTER),
        (
            "calendar.py",
            "NAME = 'not the one of the standard library'\n",
        ),
    ]);
    let texts = [
        ("workspace_id", function.workspace.as_str()),
        ("function_id", function.id.as_str()),
        ("app_name", APP),
        ("registry_url", "registry.example.com/team/journey"),
    ];
    let accepted = app
        .upload_bytes("/api/v1/build-and-push", ("app.zip", &archive), &texts)
        .await
        .with_status(202);
    let id = text(&accepted, "task_id");
    let built = task_when(&app, &id, BUILD_TIMEOUT, has_ended).await;
    let log = task_log(&app, &id).await;
    assert_eq!(built["status"], "done", "{log}");
    assert!(
        log.contains("Building with componentize-py, which takes longer, because the module name calendar is the standard library's"),
        "{log}"
    );
    deploy(&app, &function, &text(&built["result"], "image_url")).await;
    assert_eq!(app.call(APP, "/").await.with_status(200)["count"], 1);
}

#[tokio::test]
async fn a_build_without_a_function_gives_a_component_that_needs_nothing_of_this_server() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let accepted = app
        .upload(
            Method::POST,
            "/api/v1/build",
            ("app.py", COUNTER),
            &[
                ("workspace_id", workspace.id.as_str()),
                ("app_name", "portable"),
            ],
        )
        .await
        .with_status(202);
    let id = text(&accepted, "task_id");
    let built = task_when(&app, &id, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(built["status"], "done", "{built}");
    let log = task_log(&app, &id).await;
    assert!(log.contains("Took a snapshot of "), "{log}");
    let file = app.blob(&text(&built["result"], "wasm_path"));

    // No base is known there: whatever the component does not hold would be missing.
    let host = Fixture::new();
    host.deploy("portable", &component(file)).await;
    let first: Value =
        serde_json::from_str(&body_of(&host.call("portable", "/").await)).expect("JSON");
    let second: Value =
        serde_json::from_str(&body_of(&host.send("portable", get("/")).await)).expect("JSON");
    assert_eq!((&first["count"], &second["count"]), (&json!(1), &json!(1)));
    assert_ne!(first["fresh"], second["fresh"]);
}
