//! What a call gave, as its caller gets it: the record, with the answer whole.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

use crate::model::execution::Execution;
use crate::service::invocations::Completed;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CompletedResponse<'a> {
    #[serde(flatten)]
    execution: Execution,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_body: Option<Body<'a>>,
}

/// JSON stays as the function wrote it: as values it could take twenty times the memory.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(Cow<'a, str>),
}

impl<'a> Body<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let json = || serde_json::from_slice(bytes).map(Self::Json);
        (!bytes.is_empty())
            .then(|| json().unwrap_or_else(|_| Self::Text(String::from_utf8_lossy(bytes))))
    }
}

pub(super) fn to_response(completed: Completed) -> Response {
    let answer = completed.answer.unwrap_or_default();
    Json(CompletedResponse {
        execution: Execution {
            response_body: None,
            truncated: completed.is_request_cut,
            ..completed.execution
        },
        response_body: Body::of(&answer),
    })
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::Body;

    fn written(bytes: &[u8]) -> Option<String> {
        Body::of(bytes).map(|body| serde_json::to_string(&body).expect("written"))
    }

    #[test]
    fn json_is_as_the_function_wrote_it_and_anything_else_is_text() {
        let json = r#"{"b": 18446744073709551616, "a": 1.10}"#;
        assert_eq!(written(json.as_bytes()).as_deref(), Some(json));
        assert_eq!(written(b"{no").as_deref(), Some(r#""{no""#));
        assert_eq!(written(b"\xff").as_deref(), Some("\"\u{fffd}\""));
        assert_eq!(written(b""), None);
    }
}
