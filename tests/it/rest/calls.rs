//! What `/invoke` and `/test` take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace};
use crate::support::gate::Gate;

const MAX_BODY: usize = 6 * 1024 * 1024;

async fn a_function_of(app: &TestApp) -> Function {
    let workspace = a_workspace().create(app).await;
    a_function().create(app, &workspace).await
}

/// JSON of exactly so many bytes.
fn json_of(length: usize) -> Value {
    "a".repeat(length - 2).into()
}

#[tokio::test]
async fn a_body_is_taken_up_to_the_limit_of_calls() {
    let app = TestApp::start();
    let function = a_function_of(&app).await;
    let invoke = format!("{}/invoke", function.path());
    let test = format!("{}/test", function.path());
    let in_base64 = |length: usize| json!({"method": "POST", "body": STANDARD.encode(vec![0xff; length]), "bodyEncoding": "base64"});
    let escaped = |length: usize| json!({"method": "POST", "body": "\u{1}".repeat(length)});
    for (path, body) in [
        (&invoke, json_of(MAX_BODY)),
        (&test, in_base64(MAX_BODY)),
        (&test, escaped(MAX_BODY)),
    ] {
        // It was taken: what is refused is the function.
        app.post(path, &body).await.refused(400, "NOT_DEPLOYED");
    }
    for (path, body) in [
        (&invoke, json_of(MAX_BODY + 1)),
        (&test, in_base64(MAX_BODY + 1)),
        (&test, json_of(7 * MAX_BODY)),
    ] {
        let refused = app
            .post(path, &body)
            .await
            .refused(413, "PAYLOAD_TOO_LARGE");
        assert!(
            refused.message.contains("BLUE_FAAS_MAX_BODY"),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn the_limit_is_that_of_the_setting() {
    let app = TestApp::start_with(&[("BLUE_FAAS_MAX_BODY", "64KiB")]);
    let function = a_function_of(&app).await;
    let invoke = format!("{}/invoke", function.path());
    let length = 64 * 1024;
    let taken = app.post(&invoke, &json_of(length)).await;
    taken.refused(400, "NOT_DEPLOYED");
    for keyed in [false, true] {
        let mut request = app.request(http::Method::POST, &invoke);
        if keyed {
            request = request.header("idempotency-key", "key");
        }
        let refused = Answer::of(request.json(&json_of(length + 1))).await;
        refused.refused(413, "PAYLOAD_TOO_LARGE");
    }
}

#[tokio::test]
async fn json_of_more_values_than_fit_in_memory_is_refused_and_taken_as_a_text() {
    let app = TestApp::start();
    let function = a_function_of(&app).await;
    let test = format!("{}/test", function.path());
    let many = Value::from(vec![0; 300_000]);
    let sent = async |body: Value| app.post(&test, &json!({"body": body})).await;
    let as_text = Value::from(many.to_string());
    let refused = sent(many).await.refused(400, "VALIDATION_ERROR");
    assert!(refused.message.contains("as one text"), "{refused:?}");
    sent(as_text).await.refused(400, "NOT_DEPLOYED");
}

#[tokio::test]
async fn a_function_elsewhere_has_as_many_places_as_one_here() {
    let app = TestApp::start_with(&[
        ("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1"),
        ("BLUE_FAAS_MAX_CONCURRENCY", "1,4"),
    ]);
    let gate = Gate::open().await;
    let workspace = a_workspace().create(&app).await;
    let elsewhere = a_function().with("invocationUrl", gate.url());
    let function = elsewhere.create(&app, &workspace).await;
    let test = format!("{}/test", function.path());
    let call = async || {
        let called = app.post(&test, &json!({})).await.with_status(200);
        called["statusCode"].as_u64().expect("a status")
    };
    let others = async {
        let first = gate.arrived().await;
        assert_eq!([call().await, call().await], [503, 503]);
        first.answer().await;
    };
    let (status, ()) = tokio::join!(call(), others);
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused_in_the_products_format() {
    let app = TestApp::start();
    let function = a_function_of(&app).await;
    for operation in ["invoke", "test"] {
        let authority = app.console().trim_start_matches("http://");
        let mut caller = TcpStream::connect(authority).await.expect("it listens");
        let request = format!(
            "POST {}/{operation} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\nno number\r\n",
            function.path()
        );
        let sent = caller.write_all(request.as_bytes()).await;
        sent.expect("it is read");
        let mut answer = String::new();
        let read = caller.read_to_string(&mut answer).await;
        read.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{operation}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["error"]["code"], "VALIDATION_ERROR");
        assert_eq!(body["error"]["details"]["field"], "body");
    }
}
