//! Traces as a collector gets them.

use http::Method;
use std::time::{Duration, Instant};

use crate::support::answer::Answer;
use crate::support::app::{Settings, TestApp};
use crate::support::collector::{collector, hex, spans};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn a_request_and_what_it_asked_for_are_one_trace() {
    let collector = collector().await;
    let settings: Settings = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.uri().leak()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ]
    .leak();
    let mut app = TestApp::start_with(settings);
    let request = app
        .request(Method::GET, "/api/workspaces/ws-none")
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    Answer::of(request).await.refused(404, "NOT_FOUND");

    let deadline = Instant::now() + Duration::from_mins(1);
    let own = loop {
        let arrived = spans(&collector).await;
        let own: Vec<_> = arrived
            .into_iter()
            .filter(|(_, span)| hex(&span.trace_id) == TRACE)
            .collect();
        if own.iter().any(|(_, span)| span.name == "request") {
            break own;
        }
        assert!(Instant::now() < deadline, "nothing arrived");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(own.iter().all(|(service, _)| service.contains("blue-faas")));
    let named = |name: &str| {
        own.iter()
            .map(|(_, span)| span)
            .find(|span| span.name == name)
    };
    let request = named("request").expect("the request");
    assert_eq!(hex(&request.parent_span_id), CALLER);
    let route = request
        .attributes
        .iter()
        .find(|pair| pair.key == "http.route");
    assert!(format!("{route:?}").contains("/api/workspaces/{ws}"));
    let store = named("store").expect("what was asked of the store");
    assert_eq!(store.parent_span_id, request.span_id);
    app.stop();
}

#[tokio::test]
async fn what_is_left_is_sent_when_the_server_stops() {
    let collector = collector().await;
    let settings: Settings = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.uri().leak()),
        // It would not send by itself.
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ]
    .leak();
    let mut app = TestApp::start_with(settings);
    app.get("/health/live").await.with_status(200);
    app.terminate();
    assert!(app.ended(Duration::from_mins(1)).await);
    let arrived = spans(&collector).await;
    assert!(arrived.iter().any(|(_, span)| span.name == "request"));
}

#[tokio::test]
async fn a_collector_that_is_away_is_nobodys_trouble() {
    let mut app = TestApp::start_with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ]);
    for _ in 0..20 {
        app.get("/api/workspaces").await.with_status(200);
    }
    app.terminate();
    assert!(app.ended(Duration::from_mins(1)).await);
}
