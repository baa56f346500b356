//! What came back, and what may be concluded from it.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Instant;
use tracing::Instrument as _;

use super::{RequestBuilder, Secrets, ServiceError};
use crate::adapter::http_client::{self, Unread};
use crate::port::trace;

/// Bytes of an answer at most.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Sends, and reads the JSON of a 2xx.
pub(super) async fn of<T: DeserializeOwned>(
    request: RequestBuilder,
    secrets: &Secrets,
) -> Result<T, ServiceError> {
    let body = send(request, secrets).await?;
    serde_json::from_slice(&body).map_err(|error| {
        let text = format!("its answer cannot be read: {error}");
        ServiceError::Unclear(secrets.clean(&text))
    })
}

/// Sends, for the status alone.
pub(super) async fn status(request: RequestBuilder, secrets: &Secrets) -> Result<(), ServiceError> {
    send(request, secrets).await.map(drop)
}

/// Counted, and part of the trace of what asks.
async fn send(request: RequestBuilder, secrets: &Secrets) -> Result<Bytes, ServiceError> {
    let begin = Instant::now();
    let span = tracing::debug_span!("upstream", upstream = "builder");
    let answer = exchange(request, secrets).instrument(span).await;
    let result = match &answer {
        Ok(_) => "ok",
        Err(ServiceError::Refused { .. }) => "refused",
        Err(ServiceError::Unavailable(_)) => "unreachable",
        Err(ServiceError::Unclear(_)) => "unclear",
    };
    metrics::histogram!("blue_faas_upstream_request_duration_seconds", "upstream" => "builder", "result" => result)
        .record(begin.elapsed());
    answer
}

async fn exchange(mut request: RequestBuilder, secrets: &Secrets) -> Result<Bytes, ServiceError> {
    if let Some(traceparent) = trace::traceparent() {
        request = request.header(trace::TRACEPARENT, traceparent);
    }
    let response = request
        .send()
        .await
        .map_err(|error| unanswered(error, secrets))?;
    let status = response.status();
    let body = http_client::read(response, MAX_ANSWER).await;
    let body = body.map_err(|unread| match unread {
        Unread::TooLong => ServiceError::Unclear("its answer is too long".to_owned()),
        Unread::Broken(error) => cut_short(error, secrets),
    })?;
    if status.is_success() {
        return Ok(body.into());
    }
    let said = said(&body, secrets);
    Err(match status.as_u16() {
        // One that starts or has too much to do. A gateway's 502 and 504 leave it open what was done behind it.
        408 | 425 | 429 | 503 => {
            ServiceError::Unavailable(with_status(status.as_u16(), said.as_deref()))
        }
        400..=499 => ServiceError::Refused {
            status: status.as_u16(),
            detail: said.unwrap_or_else(|| format!("it answered {status} without saying why")),
        },
        300..=399 => ServiceError::Refused {
            status: status.as_u16(),
            detail:
                "it sends requests on to another address; write that one into BUILDER_SERVICE_URL"
                    .to_owned(),
        },
        other => ServiceError::Unclear(with_status(other, said.as_deref())),
    })
}

fn with_status(status: u16, said: Option<&str>) -> String {
    match said {
        Some(said) => format!("it answered {status}: {said}"),
        None => format!("it answered {status}"),
    }
}

/// `{"detail": "…"}`, or FastAPI's list of what is wrong with which field. A page in HTML is a gateway's and says nothing.
fn said(body: &[u8], secrets: &Secrets) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(answer) => detail(&answer),
        Err(_) if text.trim_start().starts_with('<') => return None,
        Err(_) => text.into_owned(),
    };
    let text = secrets.clean(&text);
    (!text.is_empty()).then_some(text)
}

fn detail(answer: &Value) -> String {
    match answer.get("detail") {
        Some(Value::String(detail)) => detail.clone(),
        Some(Value::Array(list)) => list.iter().map(wrong_field).collect::<Vec<_>>().join("; "),
        Some(detail) => detail.to_string(),
        None => answer.to_string(),
    }
}

/// `{"loc": ["body", "registry_url"], "msg": "field required", "type": "value_error.missing"}`. What was sent (`input`) is not repeated.
fn wrong_field(entry: &Value) -> String {
    let place = entry.get("loc").and_then(Value::as_array).map(|parts| {
        let parts = parts.iter().map(|part| match part {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        });
        parts.collect::<Vec<_>>().join(".")
    });
    let message = entry.get("msg").and_then(Value::as_str);
    match (place, message) {
        (Some(place), Some(message)) => format!("{place}: {message}"),
        (None, Some(message)) => message.to_owned(),
        (_, None) => "a value it does not accept".to_owned(),
    }
}

/// Nothing came back. Whether it was sent decides what may have happened.
fn unanswered(error: reqwest::Error, secrets: &Secrets) -> ServiceError {
    if error.is_connect() {
        let text = format!("it cannot be reached: {}", http_client::innermost(error));
        return ServiceError::Unavailable(secrets.clean(&text));
    }
    if error.is_builder() {
        return super::unsendable(&secrets.clean(&http_client::innermost(error)));
    }
    cut_short(error, secrets)
}

fn cut_short(error: reqwest::Error, secrets: &Secrets) -> ServiceError {
    let text = if error.is_timeout() {
        "it did not answer in time".to_owned()
    } else {
        format!("its answer broke off: {}", http_client::innermost(error))
    };
    ServiceError::Unclear(secrets.clean(&text))
}
