//! A Builder Service or a Kubernetes API that refuses, or is away.

use serde_json::json;

use super::{IMAGE, deploy, deployed, start};

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
