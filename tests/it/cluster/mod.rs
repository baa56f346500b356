//! The server with the cloud pair, before a FAKE cluster (`support/cluster.rs`): what it asks of it, and what callers get.

mod calls;
mod deployments;
mod troubles;
mod versions;

use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace};
use crate::support::cluster::FakeCluster;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const IMAGE: &str = "registry.example/faas:v1";

async fn start() -> (FakeCluster, TestApp) {
    let cluster = FakeCluster::start().await;
    let app = TestApp::start_with(cluster.settings());
    (cluster, app)
}

/// A function with these settings besides its name, deployed as `payment-approve`, which the platform calls `paymentapprove`.
async fn deployed(app: &TestApp, settings: &[(&str, Value)]) -> Function {
    let workspace = a_workspace().create(app).await;
    let mut function = a_function().named("Payment approve");
    for (field, value) in settings {
        function = function.with(field, value.clone());
    }
    let function = function.create(app, &workspace).await;
    deploy(app, &function, IMAGE).await;
    function
}

async fn deploy(app: &TestApp, function: &Function, image: &str) -> Value {
    let request = json!({"app_name": "payment-approve", "namespace": "default", "image_ref": image, "function_id": function.id});
    app.post("/api/v1/deploy", &request).await.with_status(200)
}

/// Until it holds, since what is asked for happens a moment later.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Serves a FAKE cluster until it is killed, for a server that is tried by hand or by a browser: `FAKE_CLUSTER_ADDR=127.0.0.1:4210`, and
/// then the settings that it prints.
#[tokio::test]
#[ignore = "runs until it is killed"]
async fn serve_a_fake_cluster() {
    let address = std::env::var("FAKE_CLUSTER_ADDR");
    let address = address.unwrap_or_else(|_| "127.0.0.1:0".to_owned());
    let cluster = FakeCluster::start_at(&address).await;
    for (name, value) in cluster.settings() {
        println!("{name}={value}");
    }
    std::future::pending::<()>().await;
}
