//! What goes when the data may not grow any more.

use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime};

use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace, text};
use crate::support::s3::S3Server;

const CALLS: usize = 100;
/// Bytes of each answer: what is recorded of it.
const ANSWER: usize = 60_000;

/// A function's own server elsewhere, which answers the path it was asked for and much besides.
async fn a_service_elsewhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let answer = async || "x".repeat(ANSWER);
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

async fn executions(app: &TestApp, logs: &str) -> Vec<String> {
    let listed = app.get(logs).await.with_status(200);
    let rows = listed["logs"].as_array().expect("a list").iter();
    rows.map(|row| text(row, "id")).collect()
}

#[tokio::test]
async fn with_the_limit_reached_the_oldest_executions_go_and_the_newest_stay() {
    let mut app = TestApp::start();
    app.start_again_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let workspace = a_workspace().create(&app).await;
    let elsewhere = a_service_elsewhere().await;
    let function = a_function()
        .with("invocationUrl", elsewhere.as_str())
        .create(&app, &workspace)
        .await;
    let mut called = Vec::new();
    for _ in 0..CALLS {
        let call = app
            .post(&format!("{}/invoke", function.path()), &json!({}))
            .await
            .with_status(200);
        called.push(text(&call, "id"));
    }
    called.reverse();
    let logs = format!("{}/logs?limit=1000", function.path());
    assert_eq!(executions(&app, &logs).await, called, "all are recorded");

    // About 6 MB were recorded.
    app.start_again_with(&[("BLUE_FAAS_MAX_DATA", "4MB")]);
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut kept = executions(&app, &logs).await;
    while kept.len() == CALLS && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
        kept = executions(&app, &logs).await;
    }
    assert!(kept.len() < CALLS, "nothing was removed");
    assert!(kept.len() >= 10, "{} of {CALLS} are left", kept.len());
    assert_eq!(kept, called[..kept.len()], "the newest stay");
    let read: Value = function.read(&app).await;
    assert_eq!(read["invocations24h"], CALLS, "counts stay");
}

#[tokio::test]
async fn what_no_record_names_is_collected_from_a_bucket_after_an_hour() {
    let s3 = S3Server::start();
    for (name, minutes) in [("old", 61), ("new", 50)] {
        let file = s3.file(&format!("build-artifacts/{name}/app.wasm"));
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, "wasm").expect("an object");
        let modified = SystemTime::now() - Duration::from_mins(minutes);
        let file = std::fs::File::options().write(true).open(file);
        let set = file.expect("the object").set_modified(modified);
        set.expect("a time");
    }
    let _app = TestApp::start_with(s3.settings());
    let deadline = Instant::now() + Duration::from_mins(1);
    while s3.keys("build-artifacts/").await != ["build-artifacts/new/app.wasm"] {
        let left = s3.keys("build-artifacts/").await;
        assert!(Instant::now() < deadline, "{left:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
