//! A trace through a build and a call.

use http::Method;
use serde_json::json;
use std::time::{Duration, Instant};

use super::journey::{BUILD_TIMEOUT, build_and_push, has_ended, task_when};
use crate::support::answer::Answer;
use crate::support::app::{Settings, TestApp};
use crate::support::builders::{a_function, a_workspace};
use crate::support::collector::{collector, hex, spans};

/// Answers the header that it was called with.
const ECHO: &str = "from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response\n\n\nclass IncomingHandler(BaseHandler):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {\"content-type\": \"text/plain\"}, bytes(request.headers.get(\"traceparent\", \"none\"), \"utf-8\"))\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_told_the_trace_that_its_call_is_in() {
    let collector = collector().await;
    let settings: Settings = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.uri().leak()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ]
    .leak();
    let app = TestApp::start_for_builds_with(settings);
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let task = build_and_push(&app, &function, ECHO).await;
    let built = task_when(&app, &task, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(built["status"], "done", "{built}");
    let deployment = json!({
        "app_name": "echo",
        "namespace": "default",
        "image_ref": built["result"]["image_url"],
        "function_id": function.id,
    });
    app.post("/api/v1/deploy", &deployment)
        .await
        .with_status(200);
    // A stranger's trace is not continued.
    let stranger = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = app
        .function_request(Method::GET, "echo", "/")
        .header("traceparent", stranger);
    let told = Answer::of(request).await.text();
    let parts: Vec<&str> = told.split('-').collect();
    let [_, trace, caller, _] = parts.as_slice() else {
        panic!("no traceparent: {told}")
    };
    assert!(!stranger.contains(trace), "{told}");

    let deadline = Instant::now() + Duration::from_mins(1);
    let arrived = loop {
        let arrived: Vec<_> = spans(&collector)
            .await
            .into_iter()
            .map(|(_, span)| span)
            .collect();
        if arrived.iter().any(|span| hex(&span.span_id) == *caller) {
            break arrived;
        }
        assert!(
            Instant::now() < deadline,
            "the request's span did not arrive"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let call = arrived
        .iter()
        .find(|span| span.name == "platform call" && hex(&span.trace_id) == *trace);
    assert_eq!(hex(&call.expect("the call").parent_span_id), *caller);
    let task = arrived.iter().find(|span| span.name == "build task");
    let task = task.expect("the task");
    for step in ["build", "prepare", "blobs", "store"] {
        assert!(
            arrived
                .iter()
                .any(|span| span.name == step && span.trace_id == task.trace_id),
            "no {step}"
        );
    }
}
