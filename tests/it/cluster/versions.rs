//! Versions that the Builder Service built, in the cluster.

use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::{start, until};
use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace, text};

const SOURCE: &str = include_str!("../../fixtures/hello.py");

/// Builds and pushes a version, and answers its image.
async fn pushed(app: &TestApp, function: &Function, greeting: &str) -> String {
    let source = SOURCE.replace("Hello from Blue FaaS!", greeting);
    let texts = [
        ("function_id", function.id.as_str()),
        ("workspace_id", function.workspace.as_str()),
        ("registry_url", "registry.example/faas"),
        ("tag", greeting),
    ];
    let path = "/api/v1/build-and-push";
    let accepted = app.upload(Method::POST, path, ("app.py", &source), &texts);
    let task = text(&accepted.await.with_status(202), "task_id");
    let path = format!("/api/v1/tasks/{task}");
    let mut ended = Value::Null;
    until("the build ends", async || {
        ended = app.get(&path).await.with_status(200);
        ended["status"] == "done" || ended["status"] == "failed"
    })
    .await;
    text(&ended["result"], "image_url")
}

async fn deploy(app: &TestApp, function: &Function, image: &str) {
    let request = json!({"app_name": "shop-front", "namespace": "default", "image_ref": image, "function_id": function.id});
    app.post("/api/v1/deploy", &request).await.with_status(200);
}

#[tokio::test]
async fn versions_take_turns_in_the_cluster() {
    let (cluster, app) = start().await;
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let first = pushed(&app, &function, "one").await;
    assert_eq!(first, "registry.example/faas:one");
    let second = pushed(&app, &function, "two").await;
    deploy(&app, &function, &first).await;
    let answer = app.call("shopfront", "/").await;
    assert_eq!(answer.text(), "Hello from registry.example/faas:one");
    assert_eq!(answer.header("x-blue-version"), "1");

    // A canary is a SpinApp beside it, by a name that the platform takes.
    let path = format!("/api/v1/functions/{}/canary", function.id);
    let plan = json!({"version": 2, "percent": 50});
    app.post(&path, &plan).await.with_status(201);
    let mut taken = BTreeSet::new();
    until("both take calls", async || {
        taken.insert(app.call("shopfront", "/").await.text());
        taken.len() == 2
    })
    .await;
    assert!(
        taken.contains("Hello from registry.example/faas:two"),
        "{taken:?}"
    );
    let key = ("default".to_owned(), "shopfrontcanary".to_owned());
    assert!(cluster.world().spin_apps.contains_key(&key));
    app.delete(&path).await.with_status(200);
    until("the canary is taken down", async || {
        !cluster.world().spin_apps.contains_key(&key)
    })
    .await;

    deploy(&app, &function, &second).await;
    assert_eq!(
        app.call("shopfront", "/").await.header("x-blue-version"),
        "2"
    );
    let deployments = app
        .get(&format!("/api/v1/functions/{}/deployments", function.id))
        .await
        .with_status(200);
    let older = text(&deployments[1], "id");
    let path = format!("/api/v1/deployments/{older}/redeploy");
    app.post(&path, &json!({})).await.with_status(200);
    let answer = app.call("shopfront", "/").await;
    assert_eq!(answer.text(), "Hello from registry.example/faas:one");
    assert_eq!(answer.header("x-blue-version"), "1");
}

/// Waits for the end of an accepted task, and answers it.
async fn ended(app: &TestApp, accepted: &Value) -> Value {
    let path = format!("/api/v1/tasks/{}", text(accepted, "task_id"));
    let mut ended = Value::Null;
    until("the task ends", async || {
        ended = app.get(&path).await.with_status(200);
        ended["status"] == "done" || ended["status"] == "failed"
    })
    .await;
    assert_eq!(ended["status"], "done", "{ended}");
    ended
}

#[tokio::test]
async fn what_was_built_and_pushed_in_two_steps_can_be_deployed_again() {
    let (cluster, app) = start().await;
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let path = "/api/v1/build";
    let texts = [
        ("function_id", function.id.as_str()),
        ("workspace_id", function.workspace.as_str()),
    ];
    let accepted = app.upload(Method::POST, path, ("app.py", SOURCE), &texts);
    ended(&app, &accepted.await.with_status(202)).await;
    let deploy_version = format!("/api/v1/functions/{}/versions/1/deploy", function.id);

    let push = json!({"registry_url": "registry.example/faas", "tag": "one", "workspace_id": function.workspace});
    let accepted = app.post("/api/v1/push", &push).await.with_status(202);
    let done = ended(&app, &accepted).await;
    let image = text(&done["result"], "image_url");
    assert_eq!(image, "registry.example/faas:one");
    deploy(&app, &function, &image).await;
    let deployments = format!("/api/v1/functions/{}/deployments", function.id);
    let first = app.get(&deployments).await.with_status(200);
    assert_eq!(first[0]["version"], 1);

    let second = pushed(&app, &function, "two").await;
    deploy(&app, &function, &second).await;
    let path = format!("/api/v1/deployments/{}/redeploy", text(&first[0], "id"));
    app.post(&path, &json!({})).await.with_status(200);
    assert_eq!(cluster.image("shopfront"), Some(image.clone()));
    deploy(&app, &function, &second).await;
    app.post(&deploy_version, &json!({})).await.with_status(200);
    assert_eq!(cluster.image("shopfront"), Some(image));
}
