//! Requests that functions send.

use axum::Router;
use axum::routing::post;
use blue_faas::model::execution::Level;
use blue_faas::port::platform::{Call, CallFailure};
use http::HeaderMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::fixture::{Fixture, answer, configuration, failure, get, lines, text};
use crate::support::components::build;

async fn serve() -> SocketAddr {
    let echo = |headers: HeaderMap, body: String| async move {
        format!("{} {body}", headers["x-from"].to_str().expect("text"))
    };
    let slow = || async { tokio::time::sleep(Duration::from_mins(1)).await };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("binds");
    let address = listener.local_addr().expect("bound");
    let router = Router::new()
        .route("/echo", post(echo))
        .route("/slow", post(slow));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn call(url: &str) -> Call {
    Call {
        body: "ping".into(),
        ..get(&format!("/outbound?url={url}"))
    }
}

#[tokio::test]
async fn a_listed_host_is_reached() {
    let (fixture, server) = (Fixture::new(), serve().await);
    for host in [
        format!("127.0.0.1:{}", server.port()),
        format!("localhost:{}", server.port()),
    ] {
        fixture
            .deploy_with(
                "app",
                &build("routes"),
                configuration(256, &[], &[&format!("http://{host}")]),
            )
            .await;
        let outcome = fixture
            .send("app", call(&format!("http://{host}/echo")))
            .await;
        assert_eq!(text(&outcome), "200 guest ping");
    }
}

#[tokio::test]
async fn other_hosts_are_refused_and_named() {
    let (fixture, server) = (Fixture::new(), serve().await);
    fixture.deploy("app", &build("routes")).await;
    let url = format!("http://{server}/echo");
    let outcome = fixture.send("app", call(&url)).await;
    assert_eq!(answer(&outcome).status, 500);
    let errors = lines(&outcome, Level::Error);
    assert!(
        errors[0].contains(&format!("http://{server}"))
            && errors[0].contains("allowedOutboundHosts"),
        "{errors:?}"
    );
    assert!(
        errors.iter().any(|line| line.contains("HttpRequestDenied")),
        "{errors:?}"
    );

    // A wildcard means the internet, not this machine.
    fixture
        .deploy_with(
            "app",
            &build("routes"),
            configuration(256, &[], &["*://*:*"]),
        )
        .await;
    for host in [
        server.to_string(),
        format!("2130706433:{}", server.port()),
        format!("[::ffff:127.0.0.1]:{}", server.port()),
    ] {
        let outcome = fixture
            .send("app", call(&format!("http://{host}/echo")))
            .await;
        assert_eq!(answer(&outcome).status, 500, "{host}");
        assert!(
            lines(&outcome, Level::Error)[0].contains("private network"),
            "{:?}",
            outcome.lines
        );
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_with_the_call() {
    let (fixture, server) = (Fixture::new(), serve().await);
    fixture
        .deploy_with(
            "app",
            &build("routes"),
            configuration(256, &[], &[&format!("http://{server}")]),
        )
        .await;
    let outcome = fixture
        .send(
            "app",
            Call {
                timeout: Duration::from_millis(500),
                ..call(&format!("http://{server}/slow"))
            },
        )
        .await;
    assert_eq!(failure(&outcome), &CallFailure::TimedOut);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let fixture = Fixture::new();
    fixture
        .deploy_with(
            "app",
            &build("routes"),
            configuration(256, &[], &["http://127.0.0.1:1"]),
        )
        .await;
    let outcome = fixture.send("app", call("http://127.0.0.1:1/")).await;
    assert_eq!(answer(&outcome).status, 500);
    assert!(
        lines(&outcome, Level::Error)[0].starts_with("Outbound request to 127.0.0.1 failed: "),
        "{:?}",
        outcome.lines
    );
}
