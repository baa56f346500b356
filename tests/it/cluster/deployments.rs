//! From an image to a SpinApp, and back to nothing.

use serde_json::{Value, json};

use super::{IMAGE, deploy, deployed, start, until};
use crate::support::app::TestApp;
use crate::support::builders::a_function;

fn key(name: &str) -> (String, String) {
    ("default".to_owned(), name.to_owned())
}

#[tokio::test]
async fn a_function_becomes_a_spin_app_under_the_name_that_the_platform_gives_it() {
    let (cluster, app) = start().await;
    let environment = json!({"LEVEL": "debug", "API_KEY": "secret://payments/api-key"});
    let function = deployed(
        &app,
        &[
            ("environmentVariables", environment),
            ("memory", json!(512)),
        ],
    )
    .await;
    let answer = deploy(&app, &function, "registry.example/faas:v2").await;
    assert_eq!(answer["app_name"], "paymentapprove");
    assert_eq!(answer["service_status"], "found");
    assert_eq!(
        answer["endpoint"],
        "paymentapprove.default.svc.cluster.local"
    );
    assert!(
        answer["warnings"][0]
            .as_str()
            .expect("one")
            .contains("use_spot"),
        "{answer}"
    );

    {
        let world = cluster.world();
        assert_eq!(world.deploys.len(), 2, "each deployment is one rollout");
        let request = &world.deploys[1];
        assert_eq!(
            *request,
            json!({
                "app_name": "paymentapprove", "namespace": "default", "image_ref": "registry.example/faas:v2",
                "enable_autoscaling": true, "use_spot": true, "function_id": function.id, "memory_limit": "512Mi",
            })
        );
        let spin_app = &world.spin_apps[&key("paymentapprove")];
        assert_eq!(spin_app["spec"]["podLabels"]["function_id"], function.id);
        assert_eq!(
            spin_app["spec"]["variables"],
            json!([
                {"name": "api_key", "valueFrom": {"secretKeyRef": {"name": "payments", "key": "api-key"}}},
                {"name": "level", "value": "debug"},
            ])
        );
        assert_eq!(
            world.patches.len(),
            1,
            "the second image has its variables already"
        );
    }
    let read = function.read(&app).await;
    assert_eq!(read["appName"], "paymentapprove");
    assert_eq!(read["status"], "active");
    let deployments = app
        .get(&format!("/api/v1/functions/{}/deployments", function.id))
        .await
        .with_status(200);
    let statuses: Vec<&Value> = deployments
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses, ["active", "superseded"]);
}

#[tokio::test]
async fn replicas_are_sent_only_without_autoscaling() {
    let (cluster, app) = start().await;
    let request = json!({
        "app_name": "shop", "namespace": "team", "image_ref": IMAGE, "enable_autoscaling": false, "replicas": 3, "use_spot": false,
        "custom_tolerations": [{"key": "gpu"}],
    });
    let answer = app.post("/api/v1/deploy", &request).await.with_status(200);
    assert_eq!(answer["endpoint"], "shop.team.svc.cluster.local");
    let warnings = answer["warnings"].as_array().expect("a list");
    assert!(
        warnings.len() == 1
            && warnings[0]
                .as_str()
                .expect("text")
                .contains("custom_tolerations"),
        "{answer}"
    );
    let world = cluster.world();
    assert_eq!(world.deploys[0]["replicas"], 3);
    assert_eq!(
        world.deploys[0]["custom_tolerations"],
        json!([{"key": "gpu"}])
    );
    assert!(world.scalers.is_empty());
    assert!(world.deploys[0].get("function_id").is_none());
}

#[tokio::test]
async fn an_endpoint_that_comes_late_is_written_down_without_another_rollout() {
    let (cluster, mut app) = start().await;
    cluster.world().services_wait = true;
    let function = deployed(&app, &[]).await;
    let path = format!("/api/v1/functions/{}/deployments", function.id);
    let newest = async |app: &TestApp| app.get(&path).await.with_status(200)[0].clone();
    let pending = newest(&app).await;
    assert_eq!(pending["status"], "active");
    assert!(
        pending.get("endpoint").is_none_or(Value::is_null),
        "{pending}"
    );
    // Its service is where every SpinApp's is, so it may be called already.
    let answer = app.call("paymentapprove", "/").await;
    assert_eq!(answer.text(), format!("Hello from {IMAGE}"));
    // The server that began this is gone; the next one completes it.
    app.start_again();
    cluster.open_services();
    until("the endpoint is written", async || {
        newest(&app).await["endpoint"] == "paymentapprove.default.svc.cluster.local"
    })
    .await;
    assert_eq!(cluster.world().deploys.len(), 1);
    assert_eq!(
        app.call("paymentapprove", "/").await.text(),
        format!("Hello from {IMAGE}")
    );
    assert_eq!(
        cluster.world().deploys.len(),
        1,
        "a start rolls nothing out"
    );
}

#[tokio::test]
async fn a_changed_environment_is_patched_without_a_deployment() {
    let (cluster, app) = start().await;
    let function = deployed(&app, &[("environmentVariables", json!({"LEVEL": "debug"}))]).await;
    cluster.rotate_token("second-token");
    let change = json!({"environmentVariables": {"LEVEL": "info"}});
    app.patch(&function.path(), &change).await.with_status(200);
    let echoed = app.call("paymentapprove", "/echo").await.json();
    assert_eq!(
        echoed["variables"],
        json!([{"name": "level", "value": "info"}])
    );
    app.patch(&function.path(), &json!({"timeout": 7}))
        .await
        .with_status(200);
    let world = cluster.world();
    assert_eq!((world.deploys.len(), world.patches.len()), (1, 2));
    assert_eq!(
        world.patches[1],
        json!({"spec": {"variables": [{"name": "level", "value": "info"}]}})
    );
}

#[tokio::test]
async fn a_deleted_function_leaves_nothing_in_the_cluster() {
    let (cluster, app) = start().await;
    let function = deployed(&app, &[]).await;
    assert_eq!(cluster.world().scalers.len(), 1);
    app.delete(&function.path()).await.with_status(204);
    {
        let world = cluster.world();
        assert!(
            world.spin_apps.is_empty() && world.scalers.is_empty() && world.services.is_empty()
        );
    }
    app.call("paymentapprove", "/").await.with_status(404);
}

#[tokio::test]
async fn what_cannot_be_taken_down_now_is_taken_down_later() {
    let (cluster, mut app) = start().await;
    let function = deployed(&app, &[]).await;
    cluster.world().kubernetes_is_away = true;
    app.delete(&function.path()).await.with_status(204);
    app.get(&function.path()).await.with_status(404);
    assert_eq!(cluster.world().spin_apps.len(), 1);
    cluster.world().kubernetes_is_away = false;
    app.start_again();
    until("nothing is left", async || {
        let world = cluster.world();
        world.spin_apps.is_empty() && world.scalers.is_empty() && world.services.is_empty()
    })
    .await;
}

#[tokio::test]
async fn an_app_is_kept_for_a_function_that_only_its_deployer_knows() {
    let (cluster, app) = start().await;
    let request = |function: Option<&str>| json!({"app_name": "shop", "namespace": "default", "image_ref": IMAGE, "function_id": function});
    let deploy = async |function: Option<&str>| {
        let answer = app.post("/api/v1/deploy", &request(function)).await;
        answer.status
    };
    assert_eq!(deploy(Some("fn-elsewhere")).await, 200);
    let label =
        || cluster.world().spin_apps[&key("shop")]["spec"]["podLabels"]["function_id"].clone();
    assert_eq!(label(), "fn-elsewhere");
    let workspace = crate::support::builders::a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    for other in [function.id.as_str(), "fn-another"] {
        assert_eq!(deploy(Some(other)).await, 409, "{other}");
    }
    for same in [Some("fn-elsewhere"), None, Some("fn-elsewhere")] {
        assert_eq!(deploy(same).await, 200);
    }
    assert_eq!(deploy(Some(&function.id)).await, 409);
    assert_eq!(label(), "fn-elsewhere");
}

#[tokio::test]
async fn what_is_not_this_apps_stays() {
    let (cluster, app) = start().await;
    let foreign = json!({"kind": "Service", "spec": {"selector": {"app": "redis"}}});
    cluster.world().services.insert(key("redis"), foreign);
    let request = json!({"app_name": "redis", "namespace": "default", "image_ref": IMAGE});
    let refusal = app.post("/api/v1/deploy", &request).await;
    assert_eq!(refusal.status, 409, "{}", refusal.text());
    let request = json!({"app_name": "kubernetes", "namespace": "default", "image_ref": IMAGE});
    assert_eq!(app.post("/api/v1/deploy", &request).await.status, 409);

    let other = json!({"kind": "SpinApp", "spec": {"image": "x", "podLabels": {"faas": "true", "function_id": "fn-of-others"}}});
    cluster
        .world()
        .spin_apps
        .insert(key("paymentapprove"), other);
    let workspace = crate::support::builders::a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let request = json!({"app_name": "payment-approve", "namespace": "default", "image_ref": IMAGE, "function_id": function.id});
    assert_eq!(app.post("/api/v1/deploy", &request).await.status, 409);
    assert!(cluster.world().deploys.is_empty());

    // Somebody replaces the service of an app by one of their own.
    cluster.world().spin_apps.clear();
    deploy(&app, &function, IMAGE).await;
    let foreign = json!({"kind": "Service", "spec": {"selector": {"app": "mine"}}});
    cluster
        .world()
        .services
        .insert(key("paymentapprove"), foreign);
    app.delete(&function.path()).await.with_status(204);
    let world = cluster.world();
    assert!(world.spin_apps.is_empty());
    assert_eq!(world.services.len(), 2);
}
