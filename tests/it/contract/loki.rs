//! Lines from Loki. There is no Loki to be had here: this is a FAKE that answers in the form of its public documentation.

use blue_faas::adapter::logs::loki::LokiLogs;
use blue_faas::model::error::Error;
use blue_faas::model::execution::Level;
use blue_faas::model::id::FunctionId;
use blue_faas::port::logs::LogSource as _;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn function() -> FunctionId {
    FunctionId::parse("fn-1").unwrap()
}

fn stream(pod: &str, values: Value) -> Value {
    json!({"stream": {"pod": pod, "function_id": "fn-1"}, "values": values})
}

fn streams(streams: &[Value]) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(
        json!({"status": "success", "data": {"resultType": "streams", "result": streams, "stats": {}}}),
    )
}

async fn answering(answer: ResponseTemplate) -> (MockServer, LokiLogs) {
    let server = MockServer::start().await;
    let asked = Mock::given(method("GET")).and(path("/loki/api/v1/query_range"));
    asked.respond_with(answer).mount(&server).await;
    let logs = LokiLogs::new(&server.uri()).unwrap();
    (server, logs)
}

async fn failing(answer: ResponseTemplate) -> Error {
    let (_server, logs) = answering(answer).await;
    logs.lines(&function(), 10, None).await.unwrap_err()
}

fn code(error: &Error) -> &str {
    error.operation.as_deref().unwrap()
}

#[tokio::test]
async fn lines_of_all_streams_come_newest_first_and_limited_after_that() {
    let server = MockServer::start().await;
    Mock::given(path("/loki/api/v1/query_range"))
        .and(query_param("query", r#"{function_id="fn-1"}"#))
        .and(query_param("limit", "3"))
        .and(query_param("direction", "backward"))
        .and(query_param_is_missing("start"))
        .respond_with(streams(&[
            stream(
                "a",
                json!([
                    ["1700000000000000004", "WARNING: d"],
                    ["1700000000000000001", "a"]
                ]),
            ),
            stream(
                "b",
                json!([["1700000000000000003", "c"], ["1700000000000000002", "b"]]),
            ),
        ]))
        .expect(1)
        .mount(&server)
        .await;
    let logs = LokiLogs::new(&server.uri()).unwrap();
    let lines = logs.lines(&function(), 3, None).await.unwrap();
    let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["WARNING: d", "c", "b"]);
    assert_eq!(lines[0].nanos, 1_700_000_000_000_000_004);
    assert_eq!(lines[0].level, Level::Warn);
    assert_eq!(lines[1].at.seconds(), 1_700_000_000);
}

#[tokio::test]
async fn following_asks_for_what_came_since_and_repeats_nothing() {
    let server = MockServer::start().await;
    Mock::given(query_param("start", "1700000000000000003"))
        .respond_with(streams(&[stream(
            "a",
            json!([
                ["1700000000000000003", "new"],
                ["1700000000000000002", "known"]
            ]),
        )]))
        .mount(&server)
        .await;
    let logs = LokiLogs::new(&server.uri()).unwrap();
    let after = Some(1_700_000_000_000_000_002);
    let lines = logs.lines(&function(), 10, after).await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].text, "new");
}

#[tokio::test]
async fn a_loki_that_is_away_or_slow_is_a_bad_connection_within_the_pages_patience() {
    let away = LokiLogs::new("http://127.0.0.1:9").unwrap();
    let error = away.lines(&function(), 10, None).await.unwrap_err();
    assert_eq!(code(&error), "LOKI_CONNECTION_ERROR");
    assert!(error.retry_after.is_some() && error.message.contains("LOKI_SERVICE_URL"));
    let begun = Instant::now();
    let slow = streams(&[]).set_delay(Duration::from_mins(1));
    assert_eq!(code(&failing(slow).await), "LOKI_CONNECTION_ERROR");
    assert!(begun.elapsed() < Duration::from_secs(50));
    let broken = ResponseTemplate::new(502).set_body_string("<html>bad gateway</html>");
    assert_eq!(code(&failing(broken).await), "LOKI_CONNECTION_ERROR");
}

#[tokio::test]
async fn what_makes_no_sense_is_an_error_of_its_own() {
    for answer in [
        ResponseTemplate::new(400).set_body_string("parse error at line 1"),
        ResponseTemplate::new(200).set_body_string("<html>log in</html>"),
        ResponseTemplate::new(200).set_body_string(r#"{"status": "success", "data": {"res"#),
        ResponseTemplate::new(200).set_body_json(json!({"status": "success"})),
        ResponseTemplate::new(302).insert_header("location", "http://127.0.0.1:9/"),
    ] {
        let error = failing(answer).await;
        assert_eq!(code(&error), "LOKI_ERROR");
        assert!(!error.message.contains("parse error"), "{error}");
    }
}

#[tokio::test]
async fn after_failures_in_a_row_it_is_left_alone_for_a_while() {
    let (server, logs) = answering(ResponseTemplate::new(503)).await;
    for _ in 0..8 {
        let error = logs.lines(&function(), 10, None).await.unwrap_err();
        assert_eq!(code(&error), "LOKI_CONNECTION_ERROR");
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 3);
}
