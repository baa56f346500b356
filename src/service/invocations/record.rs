//! A call and its outcome as an execution.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use std::time::Duration;

use crate::model::execution::{
    Execution, ExecutionStatus, Headers, Level, MASK, MAX_BODY_PREVIEW, MAX_HEADER, MAX_HEADERS,
    MAX_PATH, Trigger,
};
use crate::model::id::{ExecutionId, FunctionId};
use crate::model::time::Timestamp;
use crate::port::platform::{Call, CallFailure, Outcome};
use crate::service::figures;

/// Bytes of output lines kept with an execution.
const MAX_LINES: usize = 64 * 1024;

/// JSON nested deeper than this is kept as text: a store takes 31 levels, those of the record around it included.
const MAX_JSON_DEPTH: usize = 24;

/// A body with its JSON type, or as text; the second half says whether it was cut.
fn body_value(body: &Bytes) -> (Option<Value>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let json = if body.len() <= MAX_BODY_PREVIEW {
        serde_json::from_slice(body).ok()
    } else {
        None
    };
    if let Some(value) = json.filter(|value| depth(value) <= MAX_JSON_DEPTH) {
        return (Some(value), false);
    }
    let kept = &body[..body.len().min(MAX_BODY_PREVIEW)];
    let mut text = String::from_utf8_lossy(kept).into_owned();
    // Bytes that are no text become three each.
    let cut = kept.len() < body.len() || text.len() > MAX_BODY_PREVIEW;
    let end = (0..=text.len().min(MAX_BODY_PREVIEW))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or_default();
    text.truncate(end);
    (Some(Value::String(text)), cut)
}

/// Whether a body is kept as a preview.
pub(super) fn is_cut(body: &Bytes) -> bool {
    body_value(body).1
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Credentials are recognised by the header's name; the value is gone, not shortened.
fn is_credential(name: &str) -> bool {
    matches!(
        name,
        "authorization" | "proxy-authorization" | "cookie" | "set-cookie"
    ) || [
        "token",
        "secret",
        "password",
        "api-key",
        "apikey",
        "credential",
        "session",
        "signature",
    ]
    .iter()
    .any(|word| name.contains(word))
}

fn kept_headers(headers: &HeaderMap) -> Headers {
    headers
        .iter()
        .take(MAX_HEADERS)
        .map(|(name, value)| {
            let text = if is_credential(name.as_str()) {
                MASK.to_owned()
            } else {
                String::from_utf8_lossy(&value.as_bytes()[..value.len().min(MAX_HEADER)])
                    .into_owned()
            };
            (name.as_str().to_owned(), text)
        })
        .collect()
}

fn kept_lines(outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    let mut size = 0;
    for (_, line) in &outcome.lines {
        size += line.len();
        if size > MAX_LINES {
            break;
        }
        lines.push(line.clone());
    }
    if outcome.lines_truncated || lines.len() < outcome.lines.len() {
        lines.push("The output is longer than is kept; the rest is left out.".to_owned());
    }
    lines
}

/// What a caller reads when a function gave no answer of its own.
pub(super) fn failure_text(failure: &CallFailure, timeout: Duration, memory: usize) -> String {
    match failure {
        CallFailure::NotDeployed => {
            "Nothing is deployed under this name. Deploy the function first.".to_owned()
        }
        CallFailure::TimedOut => format!(
            "The function did not answer within {} s and was stopped. Raise its timeout or make it faster.",
            timeout.as_secs()
        ),
        CallFailure::OutOfMemory => format!(
            "The function needed more than {} MB and was stopped. Raise its memory or use less.",
            memory / 1024 / 1024
        ),
        CallFailure::ResponseTooLarge => {
            "The response is larger than the server passes on. Answer less at once.".to_owned()
        }
        CallFailure::Trapped(cause) => format!("The function ended without an answer: {cause}"),
        CallFailure::Overloaded => "Too many calls at once. Try again in a moment.".to_owned(),
        CallFailure::Unreachable(cause) => format!("The function could not be reached: {cause}"),
        CallFailure::CallerLeft { ran: true } => {
            "The caller left before the function answered.".to_owned()
        }
        CallFailure::CallerLeft { ran: false } => {
            "The caller left while the call waited for a place.".to_owned()
        }
    }
}

pub(super) fn failure_status(failure: &CallFailure) -> u16 {
    match failure {
        CallFailure::NotDeployed => 404,
        CallFailure::TimedOut => 504,
        CallFailure::Overloaded => 503,
        // As nginx has it: nobody gets to see it.
        CallFailure::CallerLeft { .. } => 499,
        CallFailure::OutOfMemory
        | CallFailure::ResponseTooLarge
        | CallFailure::Trapped(_)
        | CallFailure::Unreachable(_) => 502,
    }
}

pub(super) struct Recorded<'a> {
    pub id: ExecutionId,
    pub at: Timestamp,
    pub function: FunctionId,
    pub version: Option<u32>,
    pub trigger: Trigger,
    pub call: &'a Call,
    pub duration: Duration,
    pub outcome: &'a Outcome,
}

pub(super) fn execution(recorded: Recorded<'_>) -> Execution {
    figures::called(recorded.trigger, recorded.outcome, recorded.duration);
    let Recorded { call, outcome, .. } = recorded;
    let usage = outcome.usage;
    let (request_body, request_cut) = body_value(&call.body);
    let millis = |duration: Duration| (duration.as_secs_f64() * 1e6).round() / 1e3;
    let (status_code, response_headers, (response_body, response_cut), response_size, error) =
        match &outcome.result {
            Ok(answer) => (
                answer.status.as_u16(),
                kept_headers(&answer.headers),
                body_value(&answer.body),
                answer.body.len(),
                None,
            ),
            Err(failure) => (
                failure_status(failure),
                Headers::new(),
                (None, false),
                0,
                Some(failure_text(failure, call.timeout, call.memory)),
            ),
        };
    // Who leaves says nothing about the function.
    let is_left = matches!(outcome.result, Err(CallFailure::CallerLeft { .. }));
    let failed = !is_left && (error.is_some() || status_code >= 500);
    let wrote_errors = outcome
        .lines
        .iter()
        .any(|(level, _)| *level == Level::Error);
    Execution {
        id: recorded.id,
        function_id: recorded.function,
        timestamp: recorded.at,
        status: if failed {
            ExecutionStatus::Error
        } else {
            ExecutionStatus::Success
        },
        duration: millis(recorded.duration),
        status_code,
        request_body,
        response_body,
        logs: kept_lines(outcome),
        level: if failed {
            Level::Error
        } else if wrote_errors || status_code >= 400 {
            Level::Warn
        } else {
            Level::Info
        },
        trigger: recorded.trigger,
        method: call.method.as_str().to_owned(),
        path: call.uri.path().chars().take(MAX_PATH).collect(),
        query: call
            .uri
            .query()
            .unwrap_or_default()
            .chars()
            .take(MAX_PATH)
            .collect(),
        request_headers: kept_headers(&call.headers),
        response_headers,
        request_size: call.body.len() as u64,
        response_size: response_size as u64,
        version: recorded.version,
        cpu_ms: usage.cpu.map(millis),
        memory_mb: usage
            .memory
            .map(|bytes| (bytes as f64 / 1024.0 / 1024.0 * 10.0).round() / 10.0),
        queue_ms: usage.start.map(|start| {
            let taken_up = start + usage.run.unwrap_or_default();
            millis(recorded.duration.saturating_sub(taken_up))
        }),
        start_ms: usage.start.map(millis),
        run_ms: usage.run.map(millis),
        page_faults: usage.page_faults,
        truncated: request_cut || response_cut,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn numbers_in_bodies_stay_numbers() {
        let (value, cut) = body_value(&Bytes::from_static(
            br#"{"n": 1.5, "list": [1, null, true]}"#,
        ));
        assert_eq!(
            value,
            Some(serde_json::json!({"n": 1.5, "list": [1, null, true]}))
        );
        assert!(!cut);
    }

    #[test]
    fn a_long_body_is_a_marked_preview() {
        let (value, cut) = body_value(&Bytes::from(vec![b'a'; MAX_BODY_PREVIEW + 1]));
        assert!(cut);
        assert_eq!(
            value.and_then(|value| value.as_str().map(str::len)),
            Some(MAX_BODY_PREVIEW)
        );
    }

    #[test]
    fn what_a_store_would_refuse_is_kept_as_text() {
        let nested = format!("{}1{}", "[".repeat(60), "]".repeat(60));
        assert_eq!(
            body_value(&Bytes::from(nested.clone())),
            (Some(Value::from(nested)), false)
        );
        let (binary, cut) = body_value(&Bytes::from(vec![0xff; MAX_BODY_PREVIEW]));
        assert!(
            cut && binary
                .and_then(|text| text.as_str().map(str::len))
                .is_some_and(|length| length <= MAX_BODY_PREVIEW)
        );
    }

    #[test]
    fn credentials_are_masked() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "cookie",
            "x-api-key",
            "x-auth-token",
            "accept",
        ] {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static("hunter2"),
            );
        }
        let kept = kept_headers(&headers);
        let shown: Vec<&str> = kept
            .iter()
            .filter(|(_, value)| value == "hunter2")
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(shown, ["accept"]);
    }
}
