//! Conditional requests. An `ETag` has two parts, as in `"3-9f86d081884c7d65"`: the revision of what callers may change, which `If-Match`
//! compares, and a digest of the whole answer, which `If-None-Match` does. A call of a function must spoil nobody's change, and the end of its
//! build must not be "not modified".

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::error::Result;
use crate::service::table::internal;

/// Bytes of the digest.
const DIGEST: usize = 8;

/// Something as it is now, with its `ETag`. `revision` is that of the service.
pub fn tagged<T: Serialize>(value: &T, revision: &str) -> Result<Response> {
    let body = serde_json::to_vec(value).map_err(|cause| internal("ENCODING", cause))?;
    let tag = tag(revision, &body);
    let json = HeaderValue::from_static("application/json");
    let mut response = ([(header::CONTENT_TYPE, json)], body).into_response();
    let tag = HeaderValue::try_from(tag).map_err(|cause| internal("ENCODING", cause))?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

fn tag(revision: &str, body: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut tag = format!("\"{}-", revision.trim_matches('"'));
    for byte in &Sha256::digest(body)[..DIGEST] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// 304 without a body for who has the answer already.
pub fn unless_known(request: &HeaderMap, response: Response) -> Response {
    let tag = response.headers().get(header::ETAG);
    let Some(tag) = tag.filter(|tag| is_known(request, tag)).cloned() else {
        return response;
    };
    (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()
}

/// By the weak comparison: a proxy that compresses makes tags weak.
fn is_known(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = joined(request, header::IF_NONE_MATCH).unwrap_or_default();
    known.split(',').map(str::trim).any(|known| {
        known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_bytes()
    })
}

/// What must still hold of a revision. A value that cannot be read matches nothing.
pub fn if_match(headers: &HeaderMap) -> Option<String> {
    let tags = joined(headers, header::IF_MATCH)?;
    let revisions: Vec<String> = tags.split(',').map(revision_of).collect();
    Some(revisions.join(","))
}

fn revision_of(tag: &str) -> String {
    let tag = tag.trim();
    let parts = tag.strip_suffix('"').and_then(|tag| tag.rsplit_once('-'));
    parts.map_or_else(|| tag.to_owned(), |(revision, _)| format!("{revision}\""))
}

/// All lines of a list as one (RFC 9110, 5.3).
fn joined(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines: Vec<&str> = headers
        .get_all(name)
        .iter()
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, lines: &[&'static str]) -> HeaderMap {
        let line = |text: &&'static str| (name.clone(), HeaderValue::from_static(text));
        lines.iter().map(line).collect()
    }

    #[test]
    fn if_match_compares_revisions_of_all_lines() {
        let of = |lines: &[&'static str]| if_match(&with(header::IF_MATCH, lines));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["*"]).as_deref(), Some("*"));
        assert_eq!(of(&["\"3-9f86d081\""]).as_deref(), Some("\"3\""));
        assert_eq!(of(&["\"3\""]).as_deref(), Some("\"3\""));
        assert_eq!(
            of(&["\"1\"", "\"2\" , \"3-a\""]).as_deref(),
            Some("\"1\",\"2\",\"3\"")
        );
        // A weak tag says nothing about bytes, and matches none.
        assert_eq!(of(&["W/\"3-a\""]).as_deref(), Some("W/\"3\""));
    }

    #[test]
    fn if_none_match_compares_answers() {
        let tag = HeaderValue::from_static("\"3-9f86d081\"");
        let knows = |lines: &[&'static str]| is_known(&with(header::IF_NONE_MATCH, lines), &tag);
        for lines in [
            &["\"3-9f86d081\""][..],
            &["W/\"3-9f86d081\""],
            &["*"],
            &["\"1-a\", \"3-9f86d081\""],
            &["\"1-a\"", "\"3-9f86d081\""],
        ] {
            assert!(knows(lines), "{lines:?}");
        }
        for lines in [
            &[][..],
            &[""],
            &["\"3\""],
            &["\"3-00000000\""],
            &["3-9f86d081"],
        ] {
            assert!(!knows(lines), "{lines:?}");
        }
    }

    #[test]
    fn another_answer_of_the_same_revision_has_another_tag() {
        let one = tag("\"3\"", b"{\"status\":\"building\"}");
        let two = tag("\"3\"", b"{\"status\":\"active\"}");
        assert_ne!(one, two);
        assert_eq!(revision_of(&one), "\"3\"");
        assert_eq!(revision_of(&two), "\"3\"");
    }
}
