//! Tasks, uploads and deployments that are refused before anything is built.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::port::store::{Query, Store as _};
use http::Method;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace, text};

const HELLO: &str = include_str!("../../fixtures/hello.py");

#[tokio::test]
async fn a_task_that_there_is_not_is_not_found() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let id = "0199a0b4-7b7e-7cc0-8000-0123456789ab";
    for path in [
        format!("/api/v1/tasks/{id}"),
        format!("/api/v1/tasks/{id}?workspace_id={}", workspace.id),
        format!("/api/v1/tasks/{id}/log"),
    ] {
        app.get(&path).await.refused(404, "NOT_FOUND");
    }
    for action in ["cancel", "retry"] {
        let path = format!("/api/v1/tasks/{id}/{action}");
        app.post(&path, &json!({})).await.refused(404, "NOT_FOUND");
    }
    let tasks = app
        .get(&format!("/api/v1/workspaces/{}/tasks", workspace.id))
        .await
        .with_status(200);
    assert_eq!(
        tasks,
        json!({"workspace_id": workspace.id, "count": 0, "tasks": []})
    );
}

#[tokio::test]
async fn an_upload_that_cannot_be_built_makes_no_task() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let own = ("workspace_id", workspace.id.as_str());
    let registry = ("registry_url", "registry.example.com/team/fn");
    let refused_field = async |path: &str, file: (&str, &str), texts: &[(&str, &str)]| {
        app.upload(Method::POST, path, file, texts)
            .await
            .refused_field()
    };
    let build = "/api/v1/build";
    assert_eq!(
        refused_field(build, ("app.txt", HELLO), &[own]).await,
        "file"
    );
    assert_eq!(
        refused_field(build, ("app.zip", HELLO), &[own]).await,
        "file"
    );
    assert_eq!(
        refused_field(build, ("app.py", HELLO), &[own, ("app_name", "결제")]).await,
        "app_name"
    );
    assert_eq!(
        refused_field(build, ("app.py", HELLO), &[("workspace_id", "../a")]).await,
        "workspace_id"
    );
    let push = "/api/v1/build-and-push";
    assert_eq!(
        refused_field(push, ("app.py", HELLO), &[own]).await,
        "registry_url"
    );
    let none = ("workspace_id", "ws-none");
    assert_eq!(
        refused_field(push, ("app.txt", HELLO), &[none, registry]).await,
        "file"
    );
    let function = a_function().create(&app, &workspace).await;
    for texts in [
        [own, registry, ("function_id", "fn-none")],
        [none, registry, ("function_id", "fn-none")],
        [none, registry, ("function_id", &function.id)],
    ] {
        app.upload(Method::POST, push, ("app.py", HELLO), &texts)
            .await
            .refused(404, "NOT_FOUND");
    }
    let listed = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(listed, json!([workspace.read(&app).await]));
    let tasks = app
        .get(&format!("/api/v1/workspaces/{}/tasks", workspace.id))
        .await
        .with_status(200);
    assert_eq!(tasks["count"], 0);
}

#[tokio::test]
async fn a_build_makes_the_workspace_that_it_names() {
    let app = TestApp::start();
    let build = async |path: &str, texts: &[(&str, &str)]| {
        let answer = app.upload(Method::POST, path, ("app.py", HELLO), texts);
        text(&answer.await.with_status(202), "task_id")
    };
    let push = "/api/v1/build-and-push";
    let named = [
        ("workspace_id", "my-workspace"),
        ("registry_url", "registry.example.com/team/fn"),
    ];
    let queued = tokio::join!(
        build(push, &named),
        build(push, &named),
        build("/api/v1/build", &[])
    );
    let read = async |id: &str| app.get(&format!("/api/workspaces/{id}")).await;
    let made = read("my-workspace").await.with_status(200);
    assert_eq!(made["name"], "my-workspace");
    assert_eq!(made["description"], Value::Null);
    assert_eq!(made["functionCount"], 0);
    let default = read("ws-default").await.with_status(200);
    assert_eq!(default["name"], "Default");
    let listed = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    let tasks = app.get("/api/v1/workspaces/my-workspace/tasks").await;
    let tasks = tasks.with_status(200);
    let mut found: Vec<String> = tasks["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|task| text(task, "task_id"))
        .collect();
    found.sort();
    let mut expected = vec![queued.0, queued.1];
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_push_of_what_was_never_built_is_refused() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let request = json!({"workspace_id": workspace.id, "registry_url": "registry.example.com/team/fn", "s3_source_path": "local://nothing"});
    let refused = app.post("/api/v1/push", &request).await;
    assert_eq!(refused.refused_field(), "s3_source_path");
    let refused = app
        .post("/api/v1/push", &json!({"workspace_id": workspace.id}))
        .await;
    assert_eq!(refused.refused_field(), "registry_url");
}

#[tokio::test]
async fn a_deployment_for_which_nobody_chose_a_namespace_goes_to_the_first() {
    let mut app = TestApp::start_with(&[("BLUE_FAAS_NAMESPACES", "payments,staging")]);
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with("deployOnSave", true)
        .create(&app, &workspace)
        .await;
    let page = format!(
        "/workspaces/{}/functions/{}/deploy",
        workspace.id, function.id
    );
    let page = app.get(&page).await.text();
    assert!(page.contains(r#"value="payments""#), "{page}");
    assert!(page.contains("namespace: payments"), "{page}");
    let code = STANDARD.encode(HELLO);
    let saved = app.patch(&function.path(), &json!({"code": code})).await;
    saved.with_status(200);
    app.stop();
    let store = SqliteStore::open(&app.data()).expect("the server's store");
    let tasks = Query::prefix(format!("WS#{}", workspace.id), "BUILD#");
    let tasks = store.query(&tasks).await.expect("tasks").items;
    let plans: Vec<_> = tasks.iter().map(|(_, task)| &task["deploy"]).collect();
    assert_eq!(plans.len(), 1);
    assert_eq!(plans[0]["namespace"], "payments");
}

#[tokio::test]
async fn a_deployment_that_cannot_be_is_refused() {
    let app = TestApp::start();
    for (body, field) in [
        (json!({"image_ref": "a/b:c"}), "namespace"),
        (json!({"namespace": "default"}), "image_ref"),
        (
            json!({"namespace": "default", "image_ref": "a/b:c"}),
            "image_ref",
        ),
        (
            json!({"namespace": "Default!", "image_ref": "a/b:c"}),
            "namespace",
        ),
        (
            json!({"namespace": "default", "image_ref": "a/b:c", "app_name": "결제"}),
            "app_name",
        ),
        (
            json!({"namespace": "default", "image_ref": "a/b:c", "replicas": 0}),
            "replicas",
        ),
        (
            json!({"namespace": "default", "image_ref": "a/b:c", "cpu_limit": "lots"}),
            "cpu_limit",
        ),
        (
            json!({"namespace": "default", "image_ref": "a/b:c", "enable_autoscaling": "yes"}),
            "enable_autoscaling",
        ),
    ] {
        let refused = app.post("/api/v1/deploy", &body).await;
        assert_eq!(refused.refused_field(), field, "{body}");
    }
    let unknown = json!({"namespace": "payments", "image_ref": "a/b:c"});
    let refusal = app
        .post("/api/v1/deploy", &unknown)
        .await
        .refused(400, "VALIDATION_ERROR");
    assert_eq!(refusal.field.as_deref(), Some("namespace"));
    assert!(
        refusal
            .message
            .contains("kubectl create namespace payments"),
        "{}",
        refusal.message
    );
}
