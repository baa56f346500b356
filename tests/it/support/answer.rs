//! What the server answered, and what a test expects of it.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use reqwest::RequestBuilder;
use serde_json::Value;

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// An error in the product's format.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    pub field: Option<String>,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await.expect("the answer is whole"),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The empty text when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as JSON; an empty one is null.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn with_status(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self.json()
    }

    /// The error of an answer that must be one, in the one format that errors have.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Refusal {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/json");
        let body = self.json();
        let error = &body["error"];
        assert_eq!(error["code"], code, "{body}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "an error says what to do: {body}");
        Refusal {
            message: message.to_owned(),
            field: error["details"]["field"].as_str().map(str::to_owned),
        }
    }

    /// The input field that a validation error names.
    #[track_caller]
    pub fn refused_field(&self) -> String {
        self.refused(400, "VALIDATION_ERROR")
            .field
            .unwrap_or_else(|| panic!("no field is named: {}", self.text()))
    }
}
