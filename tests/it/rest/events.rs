//! Executions as they happen, as server-sent events.

use http::Method;
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace, text};
use crate::support::events::Events;

/// A function that is called at an address of its own.
async fn remote_function(app: &TestApp) -> (MockServer, Function) {
    let remote = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string("ok"))
        .mount(&remote)
        .await;
    let workspace = a_workspace().create(app).await;
    let function = a_function()
        .with("invocationUrl", remote.uri())
        .create(app, &workspace)
        .await;
    (remote, function)
}

/// Calls it and answers the execution's id.
async fn call(app: &TestApp, function: &Function, path: &str) -> String {
    let test = format!("{}/test", function.path());
    let answer = app.post(&test, &json!({"path": path})).await;
    text(&answer.with_status(200), "id")
}

#[tokio::test]
async fn every_execution_is_told_once_and_a_lost_connection_is_taken_up_again() {
    let app = TestApp::start_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let (_remote, function) = remote_function(&app).await;
    let before = call(&app, &function, "/before").await;
    let logs = format!("{}/logs", function.path());
    let mut events = Events::open(&app, &logs, None).await;
    let mut told = Vec::new();
    for path in ["/1", "/2", "/3"] {
        let id = call(&app, &function, path).await;
        let (name, event_id, execution) = events.next().await;
        assert_eq!(
            (name.as_str(), event_id.as_str()),
            ("execution", id.as_str())
        );
        assert_eq!(execution["path"], path);
        assert_ne!(id, before, "what was before is in the list");
        told.push(id);
    }
    drop(events);
    let missed = call(&app, &function, "/4").await;
    let alias = format!("{}/logs", function.alias());
    let mut again = Events::open(&app, &alias, Some(&told[1])).await;
    for expected in [&told[2], &missed] {
        assert_eq!(&again.next().await.1, expected);
    }
}

#[tokio::test]
async fn a_stream_has_the_lists_filters_and_ends_with_its_function() {
    let app = TestApp::start_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let (_remote, function) = remote_function(&app).await;
    let logs = format!("{}/logs", function.path());
    let mut events = Events::open(&app, &format!("{logs}?q=wanted"), None).await;
    call(&app, &function, "/other").await;
    let wanted = call(&app, &function, "/wanted").await;
    assert_eq!(events.next().await.1, wanted);
    app.delete(&function.path()).await.with_status(204);
    events.end().await;

    let accepted = app
        .request(Method::GET, &logs)
        .header("accept", "text/event-stream");
    let refused = crate::support::answer::Answer::of(accepted).await;
    refused.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams() {
    let mut app = TestApp::start_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let (_remote, function) = remote_function(&app).await;
    let logs = format!("{}/logs", function.path());
    let events = Events::open(&app, &logs, None).await;
    // One that does not end in order is killed, and breaks the stream off.
    app.stop();
    events.end().await;
}
