//! The server with the cloud pair, before a FAKE cluster (`support/cluster.rs`): what it asks of it, and what callers get.

mod calls;
mod chaos;
mod deployments;
mod troubles;
mod turns;
mod versions;

use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace};
use crate::support::cluster::FakeCluster;
use crate::support::emulator::Emulator;
use crate::support::s3::S3Server;
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

/// Serves the console in cloud mode until it is killed, for a browser or a look by hand: records in a DynamoDB emulator, objects in an S3 server,
/// builds and functions in the FAKE cluster. At `BLUE_FAAS_ADDR` and `BLUE_FAAS_FUNCTIONS_ADDR`, with the site at `BLUE_FAAS_SITE`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs until it is killed"]
async fn serve_in_cloud_mode() {
    let (emulator, s3) = (Emulator::dynoxide(), S3Server::start());
    let cluster = FakeCluster::start().await;
    let mut settings = emulator.settings().await.to_vec();
    // The bucket's credentials stand last: the table takes any.
    settings.extend(s3.settings());
    settings.extend(cluster.settings());
    for name in [
        "BLUE_FAAS_ADDR",
        "BLUE_FAAS_FUNCTIONS_ADDR",
        "BLUE_FAAS_SITE",
    ] {
        let value = std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        settings.push((name, value.leak()));
    }
    let _app = TestApp::start_with(settings.leak());
    std::future::pending::<()>().await;
}
