//! `Idempotency-Key`: a POST that is sent again has one effect and one answer.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use memchr::memmem::Finder;
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

/// Characters of a form's boundary at most (RFC 2046).
const MAX_BOUNDARY: usize = 70;

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
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let kind = kind.map_or_else(String::new, |kind| {
            String::from_utf8_lossy(kind.as_bytes()).into_owned()
        });
        let address = parts
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        // An upload takes a while to look through.
        let begin = tokio::task::spawn_blocking(move || {
            let request = KeyedRequest {
                key: &key,
                method: "POST",
                address: &address,
            };
            request.seal(&Actor::anonymous(), content(&kind, &body))
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

/// A body's type and content in parts that two equal requests have alike, found as they are asked for: a body may have millions.
/// A form's boundary is made anew each time it is sent, so it is left out.
fn content<'a>(kind: &'a str, body: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let (kind, delimiter) = match without_boundary(kind) {
        Some((kind, boundary)) => (kind, Some(format!("\r\n--{boundary}"))),
        None => (vec![kind.as_bytes()], None),
    };
    let begins = delimiter
        .as_ref()
        .and_then(|delimiter| body.strip_prefix(&delimiter.as_bytes()[2..]));
    // The first delimiter has no line before it.
    let before: Option<&[u8]> = begins.map(|_| &[][..]);
    let mut rest = Some(begins.unwrap_or(body));
    let delimiter = delimiter.map(|text| Finder::new(&text).into_owned());
    let parts = std::iter::from_fn(move || {
        let bytes = rest?;
        let found = delimiter.as_ref().and_then(|delimiter| {
            let at = delimiter.find(bytes)?;
            Some((&bytes[..at], &bytes[at + delimiter.needle().len()..]))
        });
        rest = found.map(|(_, rest)| rest);
        Some(found.map_or(bytes, |(part, _)| part))
    });
    kind.into_iter().chain(before).chain(parts)
}

/// A form's type without its boundary, and that. RFC 2046: 1 to 70 characters, of few kinds.
fn without_boundary(kind: &str) -> Option<(Vec<&[u8]>, &str)> {
    let mut parameters = kind.split(';').map(str::trim);
    let essence = parameters.next()?;
    let (mut others, mut boundary) = (vec![essence.as_bytes()], None);
    for parameter in parameters {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if !name.eq_ignore_ascii_case("boundary") {
            others.push(parameter.as_bytes());
        } else if boundary.replace(value).is_some() {
            return None;
        }
    }
    let boundary = boundary?;
    let quoted = boundary.strip_prefix('"');
    let boundary = match quoted {
        Some(text) => text.strip_suffix('"')?,
        None => boundary,
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let fits = (1..=MAX_BOUNDARY).contains(&boundary.len()) && boundary.bytes().all(is_plain);
    (fits && essence.eq_ignore_ascii_case("multipart/form-data")).then_some((others, boundary))
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

    fn of<'a>(kind: &'a str, body: &'a [u8]) -> Vec<&'a [u8]> {
        content(kind, body).collect()
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
        let one = of("multipart/form-data; charset=a; boundary=b", b"--b--");
        let two = of("multipart/form-data; charset=c; boundary=b", b"--b--");
        assert_ne!(one, two);
    }

    #[test]
    fn only_the_lines_that_part_a_form_are_left_out() {
        let one = of(
            "multipart/form-data; boundary=a",
            b"--a\r\nsay --a\r\n--a--",
        );
        let two = of(
            "multipart/form-data; boundary=b",
            b"--b\r\nsay --b\r\n--b--",
        );
        assert_ne!(one, two);
        let one = of("application/json; boundary=foo", b"{\"name\":\"foo\"}");
        let two = of("application/json; boundary=bar", b"{\"name\":\"bar\"}");
        assert_ne!(one[1..], two[1..]);
        let long = "x".repeat(MAX_BOUNDARY + 1);
        let kind = format!("multipart/form-data; boundary={long}");
        let body = format!("--{long}\r\ny\r\n--{long}--");
        assert_eq!(
            of(&kind, body.as_bytes()),
            [kind.as_bytes(), body.as_bytes()]
        );
    }

    #[test]
    fn a_flood_of_boundaries_makes_no_parts() {
        let flood = vec![b'a'; 1 << 20];
        let parts = of("multipart/form-data; boundary=a", &flood);
        assert_eq!(parts, [b"multipart/form-data".as_slice(), &flood]);
    }
}
