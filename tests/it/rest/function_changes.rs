//! What a change of a function means.

use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace};

async fn change(app: &TestApp, function: &Function, body: Value) -> Value {
    let changed = app.patch(&function.path(), &body).await.with_status(200);
    assert_eq!(function.read(app).await, changed);
    changed
}

#[tokio::test]
async fn what_is_absent_or_null_stays() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with("description", "Approves payments")
        .with("invocationUrl", "https://example.com/approve")
        .with("environmentVariables", json!({"LEVEL": "3"}))
        .with("httpMethods", json!(["POST"]))
        .with_code("# code\n")
        .create(&app, &workspace)
        .await;
    let before = function.read(&app).await;
    let nothing = json!({
        "name": null, "description": null, "memory": null, "timeout": null, "httpMethods": null, "environmentVariables": null, "code": null,
        "invocationUrl": null, "status": null, "lastDeployed": null, "allowedOutboundHosts": null,
    });
    assert_eq!(change(&app, &function, nothing).await, before);
    let renamed = change(&app, &function, json!({"name": "Renamed"})).await;
    let mut expected = before.clone();
    expected["name"] = "Renamed".into();
    expected["lastModified"] = renamed["lastModified"].clone();
    assert_eq!(renamed, expected);
    let others = app.get(&workspace.functions()).await.with_status(200);
    assert_eq!(others, json!([renamed]));
}

#[tokio::test]
async fn an_empty_text_clears_the_description_and_the_address() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with("description", "Approves payments")
        .with("invocationUrl", "example.com/approve")
        .create(&app, &workspace)
        .await;
    let cleared = change(
        &app,
        &function,
        json!({"description": "", "invocationUrl": ""}),
    )
    .await;
    assert_eq!(cleared.get("description"), None);
    assert_eq!(cleared["invocationUrl"], Value::Null);
}

#[tokio::test]
async fn an_address_without_a_scheme_is_taken_as_http() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with("invocationUrl", "functions.example.com:8080/approve")
        .create(&app, &workspace)
        .await;
    assert_eq!(
        function.read(&app).await["invocationUrl"],
        "http://functions.example.com:8080/approve"
    );
    let with_one = json!({"invocationUrl": "https://functions.example.com"});
    let changed = change(&app, &function, with_one).await;
    assert_eq!(changed["invocationUrl"], "https://functions.example.com");
}

#[tokio::test]
async fn the_time_of_deployment_is_kept_in_korean_time_and_is_no_modification() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let before = function.read(&app).await;
    for given in [
        "2025-12-07T03:00:00Z",
        "2025-12-06T22:00:00-05:00",
        "2025-12-07T12:00:00+09:00",
    ] {
        let changed = change(&app, &function, json!({ "lastDeployed": given })).await;
        assert_eq!(
            changed["lastDeployed"], "2025-12-07T12:00:00+09:00",
            "{given}"
        );
        assert_eq!(changed["lastModified"], before["lastModified"]);
    }
}

#[tokio::test]
async fn a_function_is_disabled_and_enabled_by_its_status() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let disabled = change(&app, &function, json!({"status": "disabled"})).await;
    assert_eq!(disabled["status"], "disabled");
    let invoked = app
        .post(&format!("{}/invoke", function.path()), &json!({}))
        .await;
    invoked.refused(409, "FUNCTION_DISABLED");
    let enabled = change(&app, &function, json!({"status": "active"})).await;
    assert_eq!(enabled["status"], "active");
    let invoked = app
        .post(&format!("{}/invoke", function.path()), &json!({}))
        .await;
    invoked.refused(400, "NOT_DEPLOYED");
}

#[tokio::test]
async fn a_change_to_what_is_already_so_leaves_etag_and_time() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let seen = app.get(&function.path()).await;
    let (tag, read) = (seen.header("etag").to_owned(), seen.with_status(200));
    for change in [
        json!({}),
        json!({"extra": 1}),
        json!({"name": null}),
        json!({"memory": read["memory"], "code": read["code"], "description": ""}),
    ] {
        let answer = app.patch(&function.path(), &change).await;
        assert_eq!(answer.header("etag"), tag, "{change}");
        assert_eq!(answer.with_status(200), read, "{change}");
    }
}

#[tokio::test]
async fn a_change_on_top_of_an_unseen_one_is_refused() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let save = async |body: Value, tag: &str| {
        let request = app
            .request(Method::PATCH, &function.path())
            .header("if-match", tag)
            .json(&body);
        Answer::of(request).await
    };
    let seen = app.get(&function.path()).await.header("etag").to_owned();
    let saved = save(json!({"memory": 512}), &seen).await;
    saved.with_status(200);
    assert_ne!(saved.header("etag"), seen);
    let refused = save(json!({"memory": 1024}), &seen).await;
    refused.refused(412, "PRECONDITION_FAILED");
    assert_eq!(function.read(&app).await["memory"], 512);
    save(json!({"memory": 1024}), saved.header("etag"))
        .await
        .with_status(200);
    assert_eq!(function.read(&app).await["memory"], 1024);
}

#[tokio::test]
async fn a_modification_moves_the_time_of_modification() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let before = function.read(&app).await;
    // Times are shown in milliseconds.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let changed = change(&app, &function, json!({"timeout": 60})).await;
    assert_ne!(changed["lastModified"], before["lastModified"]);
}
