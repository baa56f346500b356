//! Functions whose saved code is deployed.

use http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use super::journey::BUILD_TIMEOUT;
use crate::support::app::TestApp;
use crate::support::builders::{Function, Workspace, a_function, a_workspace, base64};

const POLL: Duration = Duration::from_millis(50);

fn answering(text: &str) -> String {
    format!(
        "from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response\n\n\nclass IncomingHandler(BaseHandler):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {{}}, b'{text}')\n"
    )
}

async fn save(app: &TestApp, function: &Function, python: &str) -> Value {
    let change = json!({"code": base64(python)});
    app.patch(&function.path(), &change).await.with_status(200)
}

/// The function once nothing of it is under way.
async fn settled(app: &TestApp, function: &Function) -> Value {
    let deadline = Instant::now() + BUILD_TIMEOUT;
    loop {
        let now = function.read(app).await;
        if now["status"] != "building" && now["status"] != "deploying" {
            return now;
        }
        assert!(Instant::now() < deadline, "{now}");
        tokio::time::sleep(POLL).await;
    }
}

/// How the function's builds ended, oldest first.
async fn ends(app: &TestApp, workspace: &Workspace) -> Vec<Value> {
    let path = format!("/api/v1/workspaces/{}/tasks", workspace.id);
    let tasks = app.get(&path).await.with_status(200);
    let tasks = tasks["tasks"].as_array().expect("a list").iter().rev();
    tasks.map(|task| task["status"].clone()).collect()
}

#[tokio::test]
async fn saved_code_is_deployed_where_the_function_asks_for_it() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().named("Saver").create(&app, &workspace).await;
    let saved = save(&app, &function, &answering("zero")).await;
    assert_eq!(
        (&saved["deployOnSave"], &saved["status"]),
        (&json!(false), &json!("active"))
    );
    let asked = json!({"deployOnSave": true});
    let asked = app.patch(&function.path(), &asked).await.with_status(200);
    assert_eq!(asked["deployOnSave"], true);
    assert!(
        ends(&app, &workspace).await.is_empty(),
        "nothing was saved since"
    );

    let saved = save(&app, &function, &answering("one")).await;
    assert_eq!(saved["status"], "building");
    let now = settled(&app, &function).await;
    assert_eq!(now["appName"], "saver", "the name that Deploy would give");
    assert_eq!(now["undeployedChanges"], false);
    assert_eq!(app.call("saver", "/").await.text(), "one");

    save(&app, &function, &answering("one")).await;
    app.patch(&function.path(), &json!({"memory": 512}))
        .await
        .with_status(200);
    assert_eq!(
        ends(&app, &workspace).await,
        ["done"],
        "what serves needs no deployment"
    );

    let path = format!("{}/source", function.path());
    let whole = answering("two");
    let replaced = app
        .upload(Method::PUT, &path, ("app.py", &whole), &[])
        .await;
    assert_eq!(replaced.with_status(200)["status"], "building");
    settled(&app, &function).await;
    assert_eq!(app.call("saver", "/").await.text(), "two");

    let saved = save(&app, &function, "x = (").await;
    assert_eq!(
        saved["code"],
        base64("x = ("),
        "saved whatever becomes of it"
    );
    settled(&app, &function).await;
    assert_eq!(ends(&app, &workspace).await, ["done", "done", "failed"]);
    assert_eq!(app.call("saver", "/").await.text(), "two");

    let off = json!({"deployOnSave": false, "code": base64(&answering("three"))});
    let off = app.patch(&function.path(), &off).await.with_status(200);
    assert_eq!(
        (&off["deployOnSave"], &off["status"]),
        (&json!(false), &json!("active"))
    );
}

#[tokio::test]
async fn the_code_that_was_saved_last_is_what_serves() {
    // More than one build at a time, so that a later one could overtake.
    let app = TestApp::start_for_builds_with(&[("BLUE_FAAS_BUILD_PARALLELISM", "4")]);
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .named("Hurried")
        .with("deployOnSave", true)
        .create(&app, &workspace)
        .await;
    for round in ["a", "b"] {
        let texts: Vec<String> = (0..8).map(|number| format!("{round}{number}")).collect();
        for text in &texts {
            save(&app, &function, &answering(text)).await;
        }
        settled(&app, &function).await;
        assert_eq!(app.call("hurried", "/").await.text(), texts[7]);
    }
    let ends = ends(&app, &workspace).await;
    assert_eq!(ends.len(), 16);
    assert!(
        ends.iter().all(|end| end == "done" || end == "cancelled"),
        "{ends:?}"
    );
    assert!(
        ends.contains(&json!("cancelled")),
        "what waited gave way: {ends:?}"
    );
    assert_eq!(ends[15], "done");
}
