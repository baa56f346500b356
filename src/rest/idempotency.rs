//! `Idempotency-Key`: a POST that is sent again has one effect and one answer.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::error::Error as _;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::error::{ErrorResponse, Result};
use crate::model::error::{Error, ErrorKind};
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::idempotency::{Answer, Begun, Claim, IdempotencyKey, KeyedRequest};
use crate::service::table::internal;

pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// On an answer that was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Headers that belong to an answer rather than to its way here.
const KEPT_HEADERS: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    header::ETAG,
    header::LOCATION,
    header::LINK,
];

#[derive(Clone)]
pub struct Keyed {
    pub services: Services,
    /// Bytes; what a route takes may be less.
    pub max_body: usize,
}

pub async fn run_once(State(keyed): State<Keyed>, request: Request, next: Next) -> Response {
    let key = request.headers().get(KEY).cloned();
    match key.filter(|_| request.method() == Method::POST) {
        None => next.run(request).await,
        Some(key) => {
            let answer = keyed.answer(&key, request, next).await;
            answer.unwrap_or_else(ErrorResponse::into_response)
        }
    }
}

impl Keyed {
    async fn answer(self, key: &HeaderValue, request: Request, next: Next) -> Result<Response> {
        let key = IdempotencyKey::parse(key.as_bytes())?;
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, self.max_body)
            .await
            .map_err(|cause| unreadable(&cause))?;
        match self.begin(key, &parts, body.clone()).await? {
            Begun::Answered(answer) => Ok(replayed(answer)),
            Begun::Claimed(claim) => {
                // Tasks of their own: a caller who leaves comes back for the answer.
                let request = Request::from_parts(parts, Body::from(body));
                let run = tokio::spawn(next.run(request).in_current_span());
                let kept = tokio::spawn(self.keep(claim, run).in_current_span());
                kept.await
                    .map_err(|cause| internal("INTERNAL_ERROR", cause))?
            }
        }
    }

    async fn begin(&self, key: IdempotencyKey, parts: &Parts, body: Bytes) -> Result<Begun> {
        let idempotency = self.services.idempotency.clone();
        let (headers, address) = (parts.headers.clone(), parts.uri.clone());
        let address = address
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        // An upload takes a while to look through.
        let begin = tokio::task::spawn_blocking(move || {
            let content = content(&headers, &body);
            let request = KeyedRequest {
                key: &key,
                method: "POST",
                address: &address,
                content: &content,
            };
            request.seal(&Actor::anonymous())
        });
        let sealed = begin
            .await
            .map_err(|cause| internal("INTERNAL_ERROR", cause))?;
        Ok(idempotency.begin(&sealed).await?)
    }

    async fn keep(self, claim: Claim, run: JoinHandle<Response>) -> Result<Response> {
        let idempotency = &self.services.idempotency;
        let response = match idempotency.while_claimed(&claim, run).await {
            Ok(response) => response,
            Err(cause) => {
                idempotency.release(&claim).await?;
                return Err(internal("INTERNAL_ERROR", cause).into());
            }
        };
        if !is_outcome(&response) {
            idempotency.release(&claim).await?;
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX)
            .await
            .map_err(|cause| internal("INTERNAL_ERROR", cause))?;
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: kept_headers(&parts.headers),
            body: body.clone(),
        };
        // What was done stays done: without its record, the same request runs again once the claim is over.
        if let Err(error) = idempotency.keep(&claim, &answer).await {
            tracing::warn!(%error, "the answer to an idempotent request could not be kept");
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

/// Whether something came of the request. One that was refused, or told to come back later, did nothing and may be sent again.
fn is_outcome(response: &Response) -> bool {
    let later = response.headers().contains_key(header::RETRY_AFTER);
    !response.status().is_client_error() && !later
}

fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let kept = KEPT_HEADERS.iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    kept.collect()
}

fn replayed(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// The parts of a body that two equal requests have alike. A form's boundary is made anew each time it is sent, so it is left out.
fn content<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Vec<&'a [u8]> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = kind
        .split_once("boundary=")
        .map(|(_, rest)| rest.split(';').next().unwrap_or_default())
        .map(|text| text.trim().trim_matches('"').as_bytes())
        .filter(|boundary| !boundary.is_empty());
    let Some(boundary) = boundary else {
        return vec![kind.as_bytes(), body];
    };
    let essence = kind.split(';').next().unwrap_or_default();
    let (mut parts, mut rest) = (vec![essence.as_bytes()], body);
    while let Some(at) = rest
        .windows(boundary.len())
        .position(|bytes| bytes == boundary)
    {
        parts.push(&rest[..at]);
        rest = &rest[at + boundary.len()..];
    }
    parts.push(rest);
    parts
}

fn unreadable(cause: &axum::Error) -> ErrorResponse {
    let is_long = cause
        .source()
        .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
    let error = if is_long {
        Error::new(
            ErrorKind::PayloadTooLarge,
            "The body is larger than this path takes.",
        )
    } else {
        Error::validation("body", "The body broke off. Send it whole.")
    };
    ErrorResponse(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &'static str, body: &'static [u8]) -> Vec<Vec<u8>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let parts = content(&headers, body);
        parts.into_iter().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn a_form_is_the_same_under_another_boundary() {
        let one = of(
            "multipart/form-data; boundary=abc",
            b"--abc\r\nx\r\n--abc--",
        );
        let two = of(
            "multipart/form-data; boundary=\"9-9\"",
            b"--9-9\r\nx\r\n--9-9--",
        );
        assert_eq!(one, two);
        let other = of(
            "multipart/form-data; boundary=abc",
            b"--abc\r\ny\r\n--abc--",
        );
        assert_ne!(one, other);
    }

    #[test]
    fn the_type_of_a_body_counts() {
        assert_ne!(of("application/json", b"1"), of("text/plain", b"1"));
    }
}
