//! The log in production: what one request wrote is found by its id.

use http::Method;
use serde_json::Value;
use std::time::{Duration, Instant};

use crate::support::answer::Answer;
use crate::support::app::TestApp;

/// The server's lines once one has this text in a field.
async fn lines_with(app: &TestApp, field: &str, text: &str) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let log = app.log();
        let lines = log
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let lines = lines.map(|line| serde_json::from_str(line).expect("each line is JSON"));
        let found: Vec<Value> = lines.filter(|line: &Value| line[field] == text).collect();
        if !found.is_empty() {
            return found;
        }
        assert!(Instant::now() < deadline, "no {field} {text} in\n{log}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_requests_lines_have_its_id_and_its_trace() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let app = TestApp::start_with(&[("ENVIRONMENT", "production"), ("LOG_LEVEL", "INFO")]);
    let request = app
        .request(Method::GET, "/api/workspaces/ws-none")
        .header("x-request-id", "mine-1")
        .header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let answer = Answer::of(request).await;
    assert_eq!(answer.header("x-request-id"), "mine-1");
    let lines = lines_with(&app, "request_id", "mine-1").await;
    let [line] = lines.as_slice() else {
        panic!("one line a request: {lines:?}")
    };
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["route"], "/api/workspaces/{ws}");
    assert_eq!(line["status"], 404);
    assert_eq!(line["level"], "INFO");
    assert!(line["timestamp"].is_string() && line["target"].is_string());
    assert!(line["milliseconds"].as_f64().is_some_and(|time| time > 0.0));
}

#[tokio::test]
async fn whoever_calls_a_function_brings_no_id() {
    let app = TestApp::start();
    let request = app
        .function_request(Method::GET, "no-such-app", "/")
        .header("x-request-id", "theirs");
    let answer = Answer::of(request).await;
    let id = answer.header("x-request-id");
    assert!(!id.is_empty() && id != "theirs", "{id}");
}
