//! Executions: one call of a function, as it is recorded.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::id::{ExecutionId, FunctionId};
use super::time::Timestamp;

/// Above this a body is kept as a preview, in bytes.
pub const MAX_BODY_PREVIEW: usize = 64 * 1024;
/// Bytes of one header value kept.
pub const MAX_HEADER: usize = 1_024;
/// Headers kept.
pub const MAX_HEADERS: usize = 64;
/// Characters of a path, or of a query, kept.
pub const MAX_PATH: usize = 2_048;
/// What stands in a record in place of a credential.
pub const MASK: &str = "***";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionStatus {
    Success,
    /// The function answered ≥ 500, trapped, timed out or could not be reached.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    /// Of a line, by the words that Python's logging writes, or of a level's name.
    pub fn of_text(text: &str) -> Self {
        let upper = text.to_ascii_uppercase();
        if upper.contains("ERROR") || upper.contains("CRITICAL") {
            Self::Error
        } else if upper.contains("WARN") {
            Self::Warn
        } else {
            Self::Info
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    Http,
    Invoke,
    Test,
    Draft,
    Replay,
}

impl Trigger {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Invoke => "invoke",
            Self::Test => "test",
            Self::Draft => "draft",
            Self::Replay => "replay",
        }
    }

    /// Whether it ran beside what serves, for whoever asked: such a run is counted nowhere, and listed only where its trigger is asked for.
    pub fn is_aside(self) -> bool {
        match self {
            Self::Http | Self::Invoke | Self::Test => false,
            Self::Draft | Self::Replay => true,
        }
    }
}

/// Header names and values in the order they came; credentials are masked before they get here.
pub type Headers = Vec<(String, String)>;

/// A body as text: JSON indented, other text as it is.
pub fn body_text(body: &Value) -> String {
    match body {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// One call as clients read it (`ExecutionLog`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    pub id: ExecutionId,
    pub function_id: FunctionId,
    pub timestamp: Timestamp,
    pub status: ExecutionStatus,
    /// Milliseconds.
    pub duration: f64,
    pub status_code: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_body: Option<Value>,
    /// Lines the function wrote to stdout and stderr.
    pub logs: Vec<String>,
    pub level: Level,
    pub trigger: Trigger,
    pub method: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Vec<String>>)]
    pub request_headers: Headers,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Vec<String>>)]
    pub response_headers: Headers,
    /// Bytes of the body.
    pub request_size: u64,
    /// Bytes of the body.
    pub response_size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<f64>,
    /// Milliseconds that the call waited: for a place, and for a worker to take it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_ms: Option<f64>,
    /// Milliseconds until the instance ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<f64>,
    /// Milliseconds that it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_ms: Option<f64>,
    /// Pages of 4 KiB that were new to the instance, so that the kernel had to step in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_faults: Option<u64>,
    /// A body was longer than what is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Why there is no answer of the function's own, as in "timed out after 30 s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An execution as a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionSummary {
    pub id: ExecutionId,
    pub function_id: FunctionId,
    pub function_name: String,
    pub timestamp: Timestamp,
    pub status: ExecutionStatus,
    pub status_code: u16,
    pub trigger: Trigger,
    pub method: String,
    pub path: String,
    /// Milliseconds.
    pub duration: f64,
    /// Bytes.
    pub response_size: u64,
}

/// Filters and page of a list of executions. Empty fields do not filter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionFilter {
    pub status: Option<ExecutionStatus>,
    pub code: Option<u16>,
    /// Drafts and replays are left out unless they are asked for.
    pub trigger: Option<Trigger>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Text in path, bodies or output lines.
    pub q: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionPage {
    pub executions: Vec<Execution>,
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::body_text;
    use serde_json::json;

    #[test]
    fn a_body_goes_back_into_a_form_as_it_was() {
        assert_eq!(body_text(&json!("plain\ntext")), "plain\ntext");
        assert_eq!(body_text(&json!({"a": 1})), "{\n  \"a\": 1\n}");
    }
}
