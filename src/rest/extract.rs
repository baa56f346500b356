//! What handlers take: ids from paths, fields from JSON bodies and queries, each failure with its field's name.

mod fields;

use axum::extract::{FromRequestParts, Path};
use http::HeaderValue;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ErrorResponse;
use crate::model::address::with_query;
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::service::paging::PageQuery;
pub use fields::{Fields, body};

/// The ids of a path like `/{ws}/functions/{fn}`.
pub struct Ids {
    pub workspace: WorkspaceId,
    pub function: FunctionId,
}

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = ErrorResponse;
    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> std::result::Result<Self, ErrorResponse> {
        let Path((workspace, function)) =
            Path::<(String, String)>::from_request_parts(parts, state)
                .await
                .map_err(|_| unreadable_path())?;
        Ok(Self {
            workspace: WorkspaceId::parse(workspace)?,
            function: FunctionId::parse(function)?,
        })
    }
}

/// The ids of a path like `/{ws}/functions/{fn}/executions/{id}`.
pub struct ExecutionIds {
    pub workspace: WorkspaceId,
    pub function: FunctionId,
    pub execution: ExecutionId,
}

impl<S: Send + Sync> FromRequestParts<S> for ExecutionIds {
    type Rejection = ErrorResponse;
    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> std::result::Result<Self, ErrorResponse> {
        let Path((workspace, function, execution)) =
            Path::<(String, String, String)>::from_request_parts(parts, state)
                .await
                .map_err(|_| unreadable_path())?;
        Ok(Self {
            workspace: WorkspaceId::parse(workspace)?,
            function: FunctionId::parse(function)?,
            execution: ExecutionId::parse(execution)?,
        })
    }
}

/// The single id of a path.
pub struct Id<T>(pub T);

impl<S: Send + Sync, T: TryFrom<String, Error = Error>> FromRequestParts<S> for Id<T> {
    type Rejection = ErrorResponse;
    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> std::result::Result<Self, ErrorResponse> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| unreadable_path())?;
        Ok(Self(T::try_from(id)?))
    }
}

/// The segments of a path that has other parts than ids.
pub struct Segments<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Segments<T> {
    type Rejection = ErrorResponse;
    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> std::result::Result<Self, ErrorResponse> {
        let Path(segments) = Path::<T>::from_request_parts(parts, state)
            .await
            .map_err(|_| unreadable_path())?;
        Ok(Self(segments))
    }
}

fn unreadable_path() -> ErrorResponse {
    ErrorResponse(
        Error::new(
            ErrorKind::Validation,
            "This path cannot be read. Percent-encode what is not a plain character.",
        )
        .with_field("path"),
    )
}

/// A query string; reading a parameter checks its type and names it.
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = ErrorResponse;
    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> std::result::Result<Self, ErrorResponse> {
        let wrong = || {
            Error::validation(
                "query",
                "This query string cannot be read. Percent-encode what is not a plain character.",
            )
        };
        let pairs: axum::extract::Query<Vec<(String, String)>> =
            axum::extract::Query::try_from_uri(&parts.uri).map_err(|_| wrong())?;
        Ok(Self(pairs.0))
    }
}

impl Parameters {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn parsed<T: std::str::FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>> {
        self.text(name)
            .map(|text| {
                text.parse()
                    .map_err(|_| Error::validation(name, format!("{name} must be {expected}.")))
            })
            .transpose()
    }

    /// The same with another value of one parameter.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let others = self.0.iter().filter(|(key, _)| key != name).cloned();
        let own = (name.to_owned(), value.to_owned());
        Self(others.chain([own]).collect())
    }

    /// A path with these parameters.
    pub fn address(&self, path: &str) -> String {
        let fields: Vec<(&str, &str)> = self
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        with_query(path, &fields)
    }

    pub fn limit(&self) -> Result<Option<u32>> {
        self.parsed("limit", "a whole number")
    }

    /// Which part of a list is asked for.
    pub fn page(&self) -> Result<PageQuery> {
        Ok(PageQuery {
            limit: self.limit()?,
            cursor: self.text("cursor").map(ToOwned::to_owned),
        })
    }

    /// The `Link` to what follows, at this path.
    pub fn link(&self, path: &str, next: Option<&str>) -> Option<HeaderValue> {
        let address = self.with("cursor", next?).address(path);
        HeaderValue::from_str(&format!("<{address}>; rel=\"next\"")).ok()
    }

    /// A word as one of an enum's names.
    pub fn word<T: DeserializeOwned>(&self, name: &str, expected: &str) -> Result<Option<T>> {
        self.text(name)
            .map(|text| {
                serde_json::from_value(serde_json::Value::from(text))
                    .map_err(|_| Error::validation(name, format!("{name} must be {expected}.")))
            })
            .transpose()
    }
}
