//! Drafts: what is typed runs at once, and nothing else notices.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace, base64};

const ECHO: &str = "\
import os
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        print('drafted')
        answer = ' '.join([request.method, request.uri, os.environ['GREETING'], request.body.decode()])
        return Response(201, {'x-own': 'yes'}, answer.encode())
";

async fn run(app: &TestApp, function: &Function, draft: &Value) -> crate::support::answer::Answer {
    app.post(&format!("{}/draft", function.path()), draft).await
}

/// Triggers of the executions that this query lists.
async fn triggers(app: &TestApp, function: &Function, query: &str) -> Vec<Value> {
    let logs = app.get(&format!("{}/logs{query}", function.path())).await;
    let logs = logs.with_status(200);
    let rows = logs["logs"].as_array().expect("a list").iter();
    rows.map(|row| row["trigger"].clone()).collect()
}

#[tokio::test]
async fn a_draft_runs_with_the_functions_settings_and_is_neither_kept_nor_counted() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with("environmentVariables", json!({"GREETING": "hi"}))
        .with_code("saved = True\n")
        .create(&app, &workspace)
        .await;
    app.patch(&function.path(), &json!({"status": "disabled"}))
        .await
        .with_status(200);
    // It can be mended while it is out of service.
    let before = function.read(&app).await;

    let request = json!({"method": "POST", "path": "/a", "query": "b=1", "body": "text"});
    let draft = json!({"code": base64(ECHO), "request": request});
    let answer = run(&app, &function, &draft).await.with_status(200);
    assert_eq!(answer["statusCode"], 201);
    assert_eq!(answer["responseBody"], "POST /a?b=1 hi text");
    assert_eq!(answer["logs"], json!(["drafted"]));
    assert_eq!(
        (&answer["trigger"], &answer["version"]),
        (&json!("draft"), &Value::Null)
    );

    let files = json!({"main.py": base64(ECHO), "notes.txt": base64("hello")});
    let package = json!({"files": files});
    let answer = run(&app, &function, &package).await.with_status(200);
    assert_eq!(answer["responseBody"], "GET / hi ");

    let drafts = triggers(&app, &function, "?trigger=draft").await;
    assert_eq!(drafts, [json!("draft"), json!("draft")]);
    assert!(triggers(&app, &function, "").await.is_empty());
    let lines = format!("/api/functions/{}/loki-logs", function.id);
    let lines = app.get(&lines).await.with_status(200);
    assert!(!lines.to_string().contains("drafted"), "{lines}");
    let after = function.read(&app).await;
    assert_eq!(after, before, "nothing is saved or counted");
}

#[tokio::test]
async fn a_draft_that_cannot_run_says_why_and_leaves_no_trace() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let failing = format!("{ECHO}\nraise ValueError('not yet')\n");
    for (draft, words) in [
        (json!({"code": base64("x = (")}), "app.py:1"),
        (json!({"code": base64("x = 1")}), "IncomingHandler"),
        (
            json!({"code": base64(&failing)}),
            "app.py:11: ValueError: not yet",
        ),
        (json!({"files": {"../app.py": base64(ECHO)}}), "not allowed"),
        (json!({"request": {}}), "Send code"),
        (json!({"code": base64(ECHO), "files": {}}), "Send code"),
    ] {
        let refusal = run(&app, &function, &draft).await;
        refusal.with_status(400);
        assert!(
            refusal.text().contains(words),
            "{draft}: {}",
            refusal.text()
        );
    }
    let drafts = triggers(&app, &function, "?trigger=draft").await;
    assert!(drafts.is_empty(), "{drafts:?}");
}
