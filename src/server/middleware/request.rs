//! What is known of every request: an id, a line in the log, figures.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use opentelemetry::Context;
use opentelemetry::trace::{Status, TraceContextExt as _, TraceId};
use std::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::port::trace;
use crate::service::figures::Held;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a caller.
const MAX_ID: usize = 64;

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    Console,
    Functions,
}

impl Listener {
    fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Functions => "functions",
        }
    }
}

/// Outermost: what goes wrong further in is logged under the request's id.
pub async fn observe(State(listener): State<Listener>, request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let id = request_id(listener, request.headers());
    let method = method(request.method());
    let route = route(listener, &request);
    let in_progress = Held::one_of(metrics::gauge!(
        "blue_faas_http_requests_in_progress", "listener" => listener.as_str()
    ));
    // An error's level: the span must be there at every level of the log, for the id in its lines.
    let span = tracing::error_span!(
        "request",
        request_id = id.to_str().unwrap_or_default(),
        trace_id = Empty
    );
    enter_trace(listener, &span, request.headers());
    span.set_attribute("http.request.method", method);
    span.set_attribute("http.route", route.clone());
    let mut response = next.run(request).instrument(span.clone()).await;
    drop(in_progress);
    let duration = begin.elapsed();
    let status = response.status();
    metrics::histogram!(
        "blue_faas_http_request_duration_seconds",
        "listener" => listener.as_str(), "route" => route.clone(), "method" => method, "status" => class(status.as_u16())
    )
    .record(duration);
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
    let milliseconds = duration.as_secs_f64() * 1e3;
    let _entered = span.enter();
    // Probes and files by the dozen, and calls, which are recorded as executions, would hide the rest.
    if listener == Listener::Functions || route.starts_with("/health") || route == FILES {
        tracing::debug!(
            method,
            route,
            status = status.as_u16(),
            milliseconds,
            "answered"
        );
    } else {
        tracing::info!(
            method,
            route,
            status = status.as_u16(),
            milliseconds,
            "answered"
        );
    }
    // A function's own id is part of its answer.
    response.headers_mut().entry(REQUEST_ID).or_insert(id);
    response
}

/// The console's callers may be part of a trace already. The span goes on with it, and the log names it.
fn enter_trace(listener: Listener, span: &Span, headers: &HeaderMap) {
    let brought = headers
        .get(trace::TRACEPARENT)
        .filter(|_| listener == Listener::Console)
        .and_then(trace::parse);
    if let Some(brought) = brought {
        span.record("trace_id", brought.trace_id().to_string());
        // Refused where no spans are sent.
        let _ = span.set_parent(Context::new().with_remote_span_context(brought));
        return;
    }
    let context = span.context();
    let own = context.span().span_context().trace_id();
    if own != TraceId::INVALID {
        span.record("trace_id", own.to_string());
    }
}

/// The console's callers may bring an id, so that one is found in several logs; whoever calls a function is a stranger.
fn request_id(listener: Listener, headers: &HeaderMap) -> HeaderValue {
    let brought = headers
        .get(REQUEST_ID)
        .filter(|id| listener == Listener::Console && is_plain(id));
    brought.cloned().unwrap_or_else(|| {
        let id = uuid::Uuid::now_v7().to_string();
        HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("none"))
    })
}

fn is_plain(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_ID).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

/// The console's files.
const FILES: &str = "/pkg";

/// The route's template. A path would be a label of its own for every id.
fn route(listener: Listener, request: &Request) -> String {
    if listener == Listener::Functions {
        return "/{app}".to_owned();
    }
    if request.uri().path().starts_with("/pkg/") {
        return FILES.to_owned();
    }
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned())
}

/// A caller may name any method it likes.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(listener: Listener, brought: &'static str) -> HeaderValue {
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(brought))]);
        request_id(listener, &headers)
    }

    #[test]
    fn a_plain_id_is_taken_from_the_consoles_callers_only() {
        assert_eq!(id(Listener::Console, "abc-1.2_3"), "abc-1.2_3");
        assert_ne!(id(Listener::Functions, "abc-1.2_3"), "abc-1.2_3");
        for strange in ["", "a b", "a\"b", "{}"] {
            assert_ne!(id(Listener::Console, strange), strange);
        }
        let long: &'static str = "a".repeat(MAX_ID + 1).leak();
        assert_ne!(id(Listener::Console, long), long);
    }
}
