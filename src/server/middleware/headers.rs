//! Headers of every answer of the console and the API.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The caller's request id when it is a plain one, else a new one; no sniffing, no framing, no referrer to others.
pub async fn set(request: Request, next: Next) -> Response {
    let is_plain = |value: &&HeaderValue| {
        value.len() <= 64
            && value
                .as_bytes()
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    let id = request.headers().get(REQUEST_ID).filter(is_plain).cloned();
    let id = id.or_else(|| HeaderValue::from_str(&uuid::Uuid::now_v7().to_string()).ok());
    let is_asset = request.uri().path().starts_with("/pkg/");
    let is_reference = request.uri().path().starts_with("/reference/");
    let is_image = matches!(request.uri().path(), "/icons.svg" | "/favicon.svg");
    let mut response = next.run(request).await;
    let succeeded = response.status().is_success();
    let headers = response.headers_mut();
    if let Some(id) = id {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if is_asset && succeeded {
        // Their names hold a hash of their content.
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
    } else if is_image && succeeded {
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=3600"),
        );
    } else if is_reference && succeeded {
        // Other content under the same name after an upgrade: asked for again, and mostly not sent again.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    } else {
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
    response
}
