//! What stands for a collector of traces.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::fmt::Write as _;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// FAKE: a collector, which keeps what it is sent.
pub async fn collector() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/traces"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    server
}

/// Every span that arrived, with the name of the service it is from.
pub async fn spans(collector: &MockServer) -> Vec<(String, Span)> {
    let requests = collector.received_requests().await.unwrap_or_default();
    let mut spans = Vec::new();
    for request in requests {
        assert_eq!(
            request.headers.get("content-type").expect("a type"),
            "application/x-protobuf"
        );
        let sent = ExportTraceServiceRequest::decode(request.body.as_slice()).expect("OTLP");
        for resource in sent.resource_spans {
            let attributes = resource.resource.expect("a resource").attributes;
            let name = attributes.iter().find(|pair| pair.key == "service.name");
            let name = format!("{:?}", name.and_then(|pair| pair.value.clone()));
            let scopes = resource.scope_spans.into_iter();
            spans.extend(
                scopes
                    .flat_map(|scope| scope.spans)
                    .map(|span| (name.clone(), span)),
            );
        }
    }
    spans
}

pub fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
