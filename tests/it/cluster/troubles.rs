//! A Builder Service or a Kubernetes API that refuses, or is away.

use serde_json::{Value, json};

use super::{IMAGE, deploy, deployed, start};
use crate::support::app::TestApp;
use crate::support::builders::Function;

#[tokio::test]
async fn an_unknown_namespace_is_the_callers_to_correct() {
    let (_cluster, app) = start().await;
    let request = json!({"app_name": "shop", "namespace": "nowhere", "image_ref": IMAGE});
    let refusal = app
        .post("/api/v1/deploy", &request)
        .await
        .refused(400, "VALIDATION_ERROR");
    assert_eq!(refusal.field.as_deref(), Some("namespace"));
    assert!(
        refusal.message.contains("kubectl create namespace nowhere"),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_refused_deployment_is_told_in_full_and_leaves_what_serves() {
    let (cluster, app) = start().await;
    let function = deployed(&app, &[]).await;
    let detail = "AccessDenied: user is not authorized to perform ecr:BatchGetImage";
    cluster.world().deploy_answer = Some((400, json!({"detail": detail})));
    let request = json!({"app_name": "payment-approve", "namespace": "default", "image_ref": "registry.example/faas:v2", "function_id": function.id});
    let refusal = app
        .post("/api/v1/deploy", &request)
        .await
        .refused(502, "DEPLOY_ERROR");
    assert!(
        refusal.message.contains(detail) && refusal.message.contains("IAM"),
        "{refusal:?}"
    );
    assert_eq!(
        app.call("paymentapprove", "/").await.text(),
        format!("Hello from {IMAGE}")
    );
    let deployments = app
        .get(&format!("/api/v1/functions/{}/deployments", function.id))
        .await
        .with_status(200);
    assert_eq!(
        (&deployments[0]["status"], &deployments[1]["status"]),
        (&json!("failed"), &json!("active"))
    );
    assert_eq!(function.read(&app).await["status"], "active");
}

#[tokio::test]
async fn a_kubernetes_api_that_is_away_stops_a_deployment_before_it_begins() {
    let (cluster, app) = start().await;
    let function = deployed(&app, &[]).await;
    cluster.world().kubernetes_is_away = true;
    let request = json!({"app_name": "payment-approve", "namespace": "default", "image_ref": IMAGE, "function_id": function.id});
    app.post("/api/v1/deploy", &request)
        .await
        .refused(503, "PLATFORM_CONNECTION_ERROR");
    assert_eq!(cluster.world().deploys.len(), 1);
    let change = json!({"environmentVariables": {"A": "1"}});
    let refusal = app
        .patch(&function.path(), &change)
        .await
        .refused(503, "PLATFORM_CONNECTION_ERROR");
    assert!(refusal.message.contains("saved"), "{refusal:?}");
    cluster.world().kubernetes_is_away = false;
    cluster.world().token = "another".to_owned();
    let refusal = app
        .post("/api/v1/deploy", &request)
        .await
        .refused(502, "DEPLOY_ERROR");
    assert!(
        refusal.message.contains("Unauthorized") && refusal.message.contains("service account"),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_server_whose_cluster_does_not_answer_still_takes_calls() {
    let (cluster, app) = start().await;
    let function = deployed(&app, &[]).await;
    cluster.world().is_silent = true;
    let ready = app.get("/health/ready").await.with_status(200);
    for (name, state) in [
        ("builder", "failing"),
        ("platform", "failing"),
        ("store", "ok"),
    ] {
        assert_eq!(ready["dependencies"][name], state, "{ready}");
    }
    assert!(app.log().contains("did not answer within 1 s"));
    let called = app.call("paymentapprove", "/").await;
    assert_eq!(called.text(), format!("Hello from {IMAGE}"));
    assert_eq!(function.read(&app).await["status"], "active");
}

#[tokio::test]
async fn a_deployment_whose_answer_was_lost_counts_when_the_cluster_has_it() {
    let (cluster, app) = start().await;
    let function = deployed(&app, &[]).await;
    let lost = json!({"detail": "upstream request timeout"});
    cluster.world().done_answer = Some((504, lost));
    let image = "registry.example/faas:v2";
    let answer = deploy(&app, &function, image).await;
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("upstream request timeout"), "{answer}");
    assert_eq!(newest_status(&app, &function).await, "active");
    // The same image with other options is another deployment.
    let autoscaled = json!({"app_name": "payment-approve", "namespace": "default", "image_ref": image, "function_id": function.id, "enable_autoscaling": false});
    app.post("/api/v1/deploy", &autoscaled)
        .await
        .with_status(200);
    cluster.world().done_answer = None;
    let detail = "exceeded quota: compute-resources";
    cluster.world().deploy_answer = Some((500, json!({"detail": detail})));
    let refusal = app
        .post("/api/v1/deploy", &autoscaled)
        .await
        .refused(503, "PLATFORM_CONNECTION_ERROR");
    assert!(refusal.message.contains(detail), "{refusal:?}");
    assert_eq!(newest_status(&app, &function).await, "failed");
}

async fn newest_status(app: &TestApp, function: &Function) -> Value {
    let path = format!("/api/v1/functions/{}/deployments", function.id);
    app.get(&path).await.with_status(200)[0]["status"].clone()
}

#[tokio::test]
async fn an_error_in_an_answer_is_bounded_and_without_secrets() {
    let (cluster, app) = start().await;
    let said = format!(
        "spin registry login -u AWS -p hunter2 failed {}",
        "y".repeat(1 << 20)
    );
    let answer = json!({"app_name": "shop", "namespace": "default", "error": said});
    cluster.world().deploy_answer = Some((200, answer));
    let request = json!({"app_name": "shop", "namespace": "default", "image_ref": IMAGE});
    let refusal = app
        .post("/api/v1/deploy", &request)
        .await
        .refused(502, "DEPLOY_ERROR");
    assert!(refusal.message.contains("spin registry login"));
    assert!(!refusal.message.contains("hunter2") && refusal.message.len() < 64 * 1024);
}

#[tokio::test]
async fn a_hostile_endpoint_is_not_called() {
    let (cluster, app) = start().await;
    for endpoint in [
        "169.254.169.254",
        "kubernetes.default.svc.cluster.local",
        "http://127.0.0.1:1/",
    ] {
        let answer = json!({"app_name": "shop", "namespace": "default", "endpoint": endpoint, "error": null});
        cluster.world().deploy_answer = Some((200, answer));
        let request = json!({"app_name": "shop", "namespace": "default", "image_ref": IMAGE});
        let answer = app.post("/api/v1/deploy", &request).await.with_status(200);
        assert_eq!(answer["service_status"], "pending", "{answer}");
        assert!(
            answer["warnings"]
                .to_string()
                .contains("BLUE_FAAS_INVOKE_ALLOWED_HOSTS"),
            "{answer}"
        );
        let called = app.call("shop", "/").await;
        assert!(
            called
                .text()
                .contains("no service at shop.default.svc.cluster.local"),
            "{}",
            called.text()
        );
    }
}

#[tokio::test]
async fn what_only_an_embedded_server_runs_is_refused_with_the_reason() {
    let (_cluster, app) = start().await;
    let function = deployed(&app, &[]).await;
    let draft =
        json!({"code": crate::support::builders::base64("x = 1"), "method": "GET", "path": "/"});
    let refusal = app
        .post(&format!("{}/draft", function.path()), &draft)
        .await
        .refused(409, "CONFLICT");
    assert!(
        refusal.message.contains("only what is deployed"),
        "{refusal:?}"
    );
    deploy(&app, &function, IMAGE).await;
}
