//! The one error type of the product: free of transport, the public text only. Causes are logged where they happen.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of failure it is. The HTTP status is chosen at the edge (`rest::error`), from an exhaustive match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorKind {
    Validation,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    FunctionDisabled,
    NotDeployed,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType,
    RateLimited,
    /// Something of ours failed; `Error::operation` says which, as in `CREATE_ERROR`.
    Internal,
    /// The function could not be reached or trapped.
    Invocation,
    /// The function, or an upstream, did not answer in time.
    Timeout,
    /// Too much work at once; try again after `retry_after` seconds.
    Overloaded,
    /// An upstream (Builder Service, Loki, Prometheus) is down; `Error::operation` names the code, as in `LOKI_CONNECTION_ERROR`.
    Upstream,
}

/// A failure, as a caller may read it. `message` says what to do and never holds a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    /// The name of the input field the failure is about, as the caller wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// For `Internal` and `Upstream`: the code in an answer, as in `CREATE_ERROR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Seconds after which a retry makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            field: None,
            operation: None,
            retry_after: None,
        }
    }

    pub fn validation(field: &str, message: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..Self::new(ErrorKind::Validation, message)
        }
    }

    /// `what` is a noun as in "workspace"; `id` was already checked to be a plain identifier.
    pub fn not_found(what: &str, id: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!("There is no {what} \"{id}\". It may have been deleted; check the id."),
        )
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    pub fn overloaded(message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(ErrorKind::Overloaded, message)
        }
    }

    #[must_use]
    pub fn with_operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    #[must_use]
    pub fn with_field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Whether the same call may succeed later without a change by the caller.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::RateLimited
            | ErrorKind::Timeout
            | ErrorKind::Overloaded
            | ErrorKind::Upstream
            | ErrorKind::Internal => true,
            ErrorKind::Validation
            | ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::MethodNotAllowed
            | ErrorKind::Conflict
            | ErrorKind::FunctionDisabled
            | ErrorKind::NotDeployed
            | ErrorKind::PreconditionFailed
            | ErrorKind::PayloadTooLarge
            | ErrorKind::UnsupportedMediaType
            | ErrorKind::Invocation => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl FromServerFnError for Error {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Request(_) => Self::new(
                ErrorKind::Overloaded,
                "The server could not be reached. Check the connection and try again.",
            ),
            ServerFnErrorErr::Args(text) | ServerFnErrorErr::MissingArg(text) => Self::new(
                ErrorKind::Validation,
                format!("The form could not be read: {text}"),
            ),
            _ => Self::new(
                ErrorKind::Internal,
                "The server's answer could not be read. Reload the page and try again.",
            ),
        }
    }
}
