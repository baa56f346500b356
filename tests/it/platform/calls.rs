//! What a function sees of a call, and what its developer sees of the function.

use blue_faas::model::execution::Level;
use blue_faas::port::platform::{Call, CallFailure};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::fixture::{Fixture, answer, configuration, failure, get, lines, text};
use crate::support::components::build;

#[tokio::test]
async fn hello_answers() {
    let fixture = Fixture::new();
    fixture.deploy("hello", &build("hello")).await;
    let outcome = fixture.call("hello", "/").await;
    assert_eq!(text(&outcome), "Hello from Blue FaaS!");
    assert_eq!(answer(&outcome).headers["content-type"], "text/plain");
    assert!(outcome.usage.cpu.is_some_and(|cpu| cpu.as_micros() > 100));
    assert!(
        outcome
            .usage
            .memory
            .is_some_and(|memory| memory > 10_000_000)
    );
    assert!(outcome.usage.start.is_some());
    assert!(outcome.lines.is_empty());
}

#[tokio::test]
async fn the_function_sees_the_request_as_it_was_sent() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let mut headers = HeaderMap::new();
    headers.insert("x-token", HeaderValue::from_static("abc"));
    let outcome = fixture
        .send(
            "routes",
            Call {
                method: Method::PUT,
                headers,
                body: "Grüße".into(),
                ..get("/echo?a=1&b=%20")
            },
        )
        .await;
    let seen: serde_json::Value = serde_json::from_slice(&answer(&outcome).body).expect("JSON");
    assert_eq!(answer(&outcome).status, StatusCode::CREATED);
    assert_eq!(answer(&outcome).headers["x-echo"], "yes");
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["uri"], "/echo?a=1&b=%20");
    assert_eq!(seen["headers"]["x-token"], "abc");
    assert_eq!(seen["body"], "Grüße");
}

#[tokio::test]
async fn an_exception_is_an_answer_of_500_with_its_traceback_among_the_lines() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let outcome = fixture.call("routes", "/fail").await;
    assert_eq!(answer(&outcome).status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(lines(&outcome, Level::Info), ["before the failure"]);
    assert_eq!(
        lines(&outcome, Level::Error).last(),
        Some(&"ValueError: wrong number")
    );
}

#[tokio::test]
async fn a_function_that_returns_nothing_is_told_so() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let outcome = fixture.call("routes", "/nothing").await;
    let CallFailure::Trapped(text) = failure(&outcome) else {
        panic!("{outcome:?}")
    };
    assert!(
        text.contains("'NoneType' object has no attribute 'headers'"),
        "{text}"
    );
}

#[tokio::test]
async fn a_function_that_exits_is_told_so() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let outcome = fixture.call("routes", "/leave").await;
    let CallFailure::Trapped(text) = failure(&outcome) else {
        panic!("{outcome:?}")
    };
    assert!(text.contains("exit code"), "{text}");
}

#[tokio::test]
async fn output_comes_as_lines_in_order() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let outcome = fixture.call("routes", "/output").await;
    let expected = [
        (Level::Info, "one"),
        (Level::Error, "two"),
        (Level::Info, "three"),
    ];
    assert_eq!(
        outcome.lines,
        expected.map(|(level, line)| (level, line.to_owned()))
    );
    assert!(!outcome.lines_truncated);

    let outcome = fixture.call("routes", "/much_output").await;
    assert_eq!(text(&outcome), "printed");
    assert_eq!(outcome.lines.len(), 1_000);
    assert!(outcome.lines_truncated);
}

#[tokio::test]
async fn the_environment_is_there_as_variables_of_both_kinds() {
    let fixture = Fixture::new();
    fixture
        .deploy_with(
            "routes",
            &build("routes"),
            configuration(256, &[("GREETING", "hi"), ("plain", "x")], &[]),
        )
        .await;
    let seen: serde_json::Value =
        serde_json::from_str(&text(&fixture.call("routes", "/environ").await)).expect("JSON");
    assert_eq!(seen["environ"]["GREETING"], "hi");
    assert_eq!(seen["environ"]["plain"], "x");
    assert_eq!(seen["variable"], "hi");
    assert!(
        seen["environ"].get("HOME").is_none() && seen["environ"].get("PATH").is_none(),
        "{seen}"
    );

    let outcome = fixture.call("routes", "/undefined").await;
    assert_eq!(answer(&outcome).status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        lines(&outcome, Level::Error)
            .iter()
            .any(|line| line.contains("Undefined")),
        "{:?}",
        outcome.lines
    );
}

#[tokio::test]
async fn key_values_last_and_belong_to_one_function() {
    let fixture = Fixture::new();
    let routes = build("routes");
    fixture.deploy("one", &routes).await;
    fixture.deploy("two", &routes).await;
    assert_eq!(
        text(&fixture.call("one", "/count").await),
        "1 ['count'] False"
    );
    assert_eq!(
        text(&fixture.call("one", "/count").await),
        "2 ['count'] False"
    );
    assert_eq!(
        text(&fixture.call("two", "/count").await),
        "1 ['count'] False"
    );
    let outcome = fixture.call("one", "/other_store").await;
    assert!(
        lines(&outcome, Level::Error)
            .iter()
            .any(|line| line.contains("NoSuchStore")),
        "{:?}",
        outcome.lines
    );
}

#[tokio::test]
async fn an_interface_that_is_not_offered_is_named() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let outcome = fixture.call("routes", "/database").await;
    let CallFailure::Trapped(text) = failure(&outcome) else {
        panic!("{outcome:?}")
    };
    assert!(
        text.starts_with("fermyon:spin/redis@2.0.0 is not offered by this server"),
        "{text}"
    );
}

#[tokio::test]
async fn calls_leave_nothing_to_each_other() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    for _ in 0..3 {
        assert_eq!(text(&fixture.call("routes", "/state").await), "1");
    }
}

#[tokio::test]
async fn there_are_no_files() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    assert_eq!(
        text(&fixture.call("routes", "/files").await),
        "FileNotFoundError no root"
    );
}
