//! Recorded requests that are made again, and what that gave.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::comparison::Differences;
use super::error::{Error, Result};
use super::execution::{
    Execution, ExecutionStatus, Headers, MASK, MAX_BODY_PREVIEW, MAX_HEADER, MAX_HEADERS, MAX_PATH,
};
use super::id::ExecutionId;

/// Why a part of a request cannot be as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Alteration {
    /// A credential, of which nothing is kept: left out.
    Masked,
    /// Longer than what is kept: left out.
    Cut,
    /// It held bytes that are no text, of which nothing is kept: left out.
    NotText,
    /// The same JSON, written in other bytes.
    Rewritten,
}

/// A part of a request that is not as it was, by the name it has in an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Altered {
    /// `requestBody`, `requestHeaders`, or one header, as in `requestHeaders.authorization`.
    pub field: String,
    pub reason: Alteration,
}

/// A recorded request, as far as it can be made again.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedRequest {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Headers,
    pub body: String,
    pub altered: Vec<Altered>,
}

impl RecordedRequest {
    /// Refused, with the field's name, where what was kept is another request than what came: a cut body, path or query, or bytes that are no text.
    pub fn of(execution: &Execution) -> Result<Self> {
        for (field, text) in [("path", &execution.path), ("query", &execution.query)] {
            if text.chars().count() >= MAX_PATH {
                return Err(refusal(field, "is longer than what is kept of it"));
            }
        }
        let mut altered = Vec::new();
        let body = recorded_body(execution, &mut altered)?;
        let mut headers = Headers::new();
        for (name, value) in &execution.request_headers {
            match header_alteration(value) {
                Some(reason) => altered.push(Altered {
                    field: format!("requestHeaders.{name}"),
                    reason,
                }),
                // Rewritten JSON has another length.
                None if name.eq_ignore_ascii_case("content-length") => {
                    headers.push((name.clone(), body.len().to_string()));
                }
                None => headers.push((name.clone(), value.clone())),
            }
        }
        if execution.request_headers.len() >= MAX_HEADERS {
            altered.push(Altered {
                field: "requestHeaders".to_owned(),
                reason: Alteration::Cut,
            });
        }
        Ok(Self {
            method: execution.method.clone(),
            path: execution.path.clone(),
            query: execution.query.clone(),
            headers,
            body,
            altered,
        })
    }
}

fn header_alteration(value: &str) -> Option<Alteration> {
    if value == MASK {
        Some(Alteration::Masked)
    } else if value.contains(char::REPLACEMENT_CHARACTER) {
        Some(Alteration::NotText)
    } else if value.len() >= MAX_HEADER {
        Some(Alteration::Cut)
    } else {
        None
    }
}

/// The body's bytes, as far as the record tells them: it keeps a JSON text and a plain one alike, and JSON without its spaces.
fn recorded_body(execution: &Execution, altered: &mut Vec<Altered>) -> Result<String> {
    let size = execution.request_size;
    if size > MAX_BODY_PREVIEW as u64 {
        let kept = MAX_BODY_PREVIEW / 1024;
        let reason = format!("is longer than the {kept} KiB that are kept of it");
        return Err(refusal("requestBody", &reason));
    }
    let body = match &execution.request_body {
        None if size == 0 => String::new(),
        // JSON's null, which an item does not hold.
        None => Value::Null.to_string(),
        Some(Value::String(text)) if text.contains(char::REPLACEMENT_CHARACTER) => {
            return Err(refusal(
                "requestBody",
                "holds bytes that are no text, of which nothing is kept",
            ));
        }
        Some(Value::String(text)) if text.len() as u64 == size => text.clone(),
        Some(json) => json.to_string(),
    };
    if body.len() as u64 != size {
        altered.push(Altered {
            field: "requestBody".to_owned(),
            reason: Alteration::Rewritten,
        });
    }
    Ok(body)
}

fn refusal(field: &str, reason: &str) -> Error {
    Error::validation(
        field,
        format!(
            "This request cannot be made again: its {field} {reason}. Send it anew, as a test or with a draft."
        ),
    )
}

/// A recorded call, the same request's answer elsewhere, and what differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Replayed {
    pub original: Execution,
    pub replay: Execution,
    pub differences: Differences,
    /// What of the request is not as it was.
    pub altered: Vec<Altered>,
}

/// A run as a row of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckedRun {
    pub id: ExecutionId,
    pub status: ExecutionStatus,
    pub status_code: u16,
    /// Milliseconds.
    pub duration: f64,
}

impl From<&Execution> for CheckedRun {
    fn from(execution: &Execution) -> Self {
        Self {
            id: execution.id.clone(),
            status: execution.status,
            status_code: execution.status_code,
            duration: execution.duration,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "verdict", rename_all = "camelCase")]
pub enum Verdict {
    Same {
        replay: CheckedRun,
    },
    Different {
        replay: CheckedRun,
        /// As [`Differences::count`] counts them.
        differences: usize,
    },
    /// The record does not hold enough of the request.
    NotRepeatable {
        field: String,
        reason: String,
    },
    /// The check ended before it.
    NotRun {
        reason: String,
    },
}

/// One recorded request of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckRow {
    pub original: CheckedRun,
    pub method: String,
    pub path: String,
    pub query: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub altered: Vec<Altered>,
    #[serde(flatten)]
    pub verdict: Verdict,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckSummary {
    pub same: usize,
    pub different: usize,
    pub not_repeatable: usize,
    pub not_run: usize,
    /// Executions that were read for it; those with other methods were passed over.
    pub looked_at: usize,
}

/// Recorded requests made again, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    pub summary: CheckSummary,
    pub rows: Vec<CheckRow>,
}

impl Check {
    pub fn new(rows: Vec<CheckRow>, looked_at: usize) -> Self {
        let mut summary = CheckSummary {
            looked_at,
            ..CheckSummary::default()
        };
        for row in &rows {
            *match row.verdict {
                Verdict::Same { .. } => &mut summary.same,
                Verdict::Different { .. } => &mut summary.different,
                Verdict::NotRepeatable { .. } => &mut summary.not_repeatable,
                Verdict::NotRun { .. } => &mut summary.not_run,
            } += 1;
        }
        Self { summary, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn execution(body: &Value, size: usize, headers: &[(&str, &str)]) -> Execution {
        serde_json::from_value(json!({
            "id": "e-1", "functionId": "fn-1", "timestamp": "2026-11-20T14:02:11+09:00", "status": "success", "duration": 1.0, "statusCode": 200,
            "requestBody": body, "logs": [], "level": "info", "trigger": "http", "method": "POST", "path": "/orders", "query": "page=2",
            "requestHeaders": headers, "requestSize": size, "responseSize": 0
        }))
        .expect("an execution")
    }

    fn body_of(body: &Value, size: usize) -> (String, usize) {
        let request = RecordedRequest::of(&execution(body, size, &[])).expect("repeatable");
        (request.body, request.altered.len())
    }

    #[test]
    fn a_body_is_what_its_size_says() {
        assert_eq!(body_of(&Value::Null, 0), (String::new(), 0));
        assert_eq!(body_of(&Value::Null, 4), ("null".to_owned(), 0));
        assert_eq!(body_of(&json!("abc"), 3), ("abc".to_owned(), 0));
        assert_eq!(body_of(&json!("abc"), 5), ("\"abc\"".to_owned(), 0));
        assert_eq!(body_of(&json!({"a": 1}), 7), ("{\"a\":1}".to_owned(), 0));
        // It came with spaces.
        assert_eq!(body_of(&json!({"a": 1}), 8), ("{\"a\":1}".to_owned(), 1));
    }

    #[test]
    fn what_the_record_does_not_hold_is_refused_by_its_field() {
        let mut long_path = execution(&Value::Null, 0, &[]);
        long_path.path = format!("/{}", "a".repeat(MAX_PATH - 1));
        let cut = execution(&json!("a"), MAX_BODY_PREVIEW + 1, &[]);
        let binary = execution(&json!("a\u{fffd}"), 2, &[]);
        for (recorded, field) in [
            (long_path, "path"),
            (cut, "requestBody"),
            (binary, "requestBody"),
        ] {
            let refused = RecordedRequest::of(&recorded).expect_err("refused");
            assert_eq!(refused.field.as_deref(), Some(field));
        }
    }

    #[test]
    fn headers_that_cannot_be_sent_again_are_left_out_and_named() {
        let long = "a".repeat(MAX_HEADER);
        let recorded = execution(
            &json!({"a": 1}),
            8,
            &[
                ("authorization", MASK),
                ("content-length", "8"),
                ("x-long", &long),
                ("x-bytes", "\u{fffd}"),
                ("x-id", "7"),
            ],
        );
        let request = RecordedRequest::of(&recorded).expect("repeatable");
        let kept = [("content-length", "7"), ("x-id", "7")];
        assert_eq!(
            request.headers,
            kept.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(
            serde_json::to_value(&request.altered).expect("JSON"),
            json!([
                {"field": "requestBody", "reason": "rewritten"},
                {"field": "requestHeaders.authorization", "reason": "masked"},
                {"field": "requestHeaders.x-long", "reason": "cut"},
                {"field": "requestHeaders.x-bytes", "reason": "notText"},
            ])
        );
    }
}
