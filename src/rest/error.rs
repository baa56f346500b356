//! The one map from failures to HTTP.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::error::{Error, ErrorKind};

pub fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Validation | ErrorKind::NotDeployed => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::Conflict | ErrorKind::FunctionDisabled => StatusCode::CONFLICT,
        ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorKind::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::Upstream => StatusCode::BAD_GATEWAY,
        ErrorKind::Invocation | ErrorKind::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// The `code` of an answer.
pub fn code_of(error: &Error) -> &str {
    if let Some(operation) = &error.operation {
        return operation;
    }
    match error.kind {
        ErrorKind::Validation => "VALIDATION_ERROR",
        ErrorKind::NotDeployed => "NOT_DEPLOYED",
        ErrorKind::Unauthenticated => "UNAUTHENTICATED",
        ErrorKind::Forbidden => "FORBIDDEN",
        ErrorKind::NotFound => "NOT_FOUND",
        ErrorKind::MethodNotAllowed => "METHOD_NOT_ALLOWED",
        ErrorKind::Conflict => "CONFLICT",
        ErrorKind::FunctionDisabled => "FUNCTION_DISABLED",
        ErrorKind::PreconditionFailed => "PRECONDITION_FAILED",
        ErrorKind::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
        ErrorKind::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
        ErrorKind::RateLimited => "RATE_LIMITED",
        ErrorKind::Internal => "INTERNAL_ERROR",
        ErrorKind::Upstream => "UPSTREAM_ERROR",
        ErrorKind::Invocation => "INVOCATION_ERROR",
        ErrorKind::Overloaded => "OVERLOADED",
        ErrorKind::Timeout => "TIMEOUT",
    }
}

/// A failure on its way out.
#[derive(Debug)]
pub struct ErrorResponse(pub Error);

pub type Result<T> = std::result::Result<T, ErrorResponse>;

impl From<Error> for ErrorResponse {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// Every failure.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure, example = json!({"error": {"code": "VALIDATION_ERROR", "message": "Choose a memory between 128 and 1024 MB.", "details": {"field": "memory"}}}))]
pub(super) struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FailureBody)]
struct Body<'a> {
    /// As in `VALIDATION_ERROR`.
    code: &'a str,
    /// What to do.
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FailureDetails)]
struct Details<'a> {
    /// The input that it is about.
    field: &'a str,
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let error = &self.0;
        let body = Envelope {
            error: Body {
                code: code_of(error),
                message: &error.message,
                details: error.field.as_deref().map(|field| Details { field }),
            },
        };
        let mut response = (status_of(error.kind), Json(body)).into_response();
        if let Some(seconds) = error.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
