//! What handlers take: ids from paths, fields from JSON bodies and queries, each failure with its field's name.

use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::ErrorResponse;
use crate::model::address::with_query;
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::service::paging::PageQuery;

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

/// A JSON object; reading a field checks its type and names it.
#[derive(Default)]
pub struct Fields(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ErrorResponse;
    async fn from_request(request: Request, state: &S) -> std::result::Result<Self, ErrorResponse> {
        let kind = ContentType::of(request.headers());
        if kind == ContentType::Other {
            return Err(not_json());
        }
        Self::read(kind, &body(request, state).await?)
    }
}

/// For paths whose fields are all optional: no body, whatever type it says it has, and `null` are none of them.
impl<S: Send + Sync> OptionalFromRequest<S> for Fields {
    type Rejection = ErrorResponse;
    async fn from_request(
        request: Request,
        state: &S,
    ) -> std::result::Result<Option<Self>, ErrorResponse> {
        let kind = ContentType::of(request.headers());
        let body = body(request, state).await?;
        let is_null = kind == ContentType::Json && body.trim_ascii() == b"null";
        if body.is_empty() || is_null {
            return Ok(None);
        }
        Ok(Some(Self::read(kind, &body)?))
    }
}

/// The body, within the route's limit.
pub async fn body<S: Send + Sync>(
    request: Request,
    state: &S,
) -> std::result::Result<Bytes, ErrorResponse> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                ErrorResponse(Error::new(
                    ErrorKind::PayloadTooLarge,
                    "The body is larger than this path takes.",
                ))
            } else {
                ErrorResponse(Error::validation(
                    "body",
                    "The body broke off. Send it whole.",
                ))
            }
        })
}

/// What a body is said to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ContentType {
    /// Or nothing at all.
    Json,
    /// What curl says of everything that `-d` sends, and the first system's documents say so too: JSON when it looks like it. A form of
    /// another site's page can have this type as well, which `server::middleware::guard` refuses by `Origin` and `Sec-Fetch-Site`.
    UrlEncoded,
    Other,
}

impl ContentType {
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            return Self::Json;
        };
        let essence = value.to_str().unwrap_or_default().split(';').next();
        let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Self::Json,
            "application/x-www-form-urlencoded" => Self::UrlEncoded,
            other if other.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

fn not_json() -> ErrorResponse {
    let message = "Send a JSON object with its type; with curl: -H 'content-type: application/json' -d '{…}'.";
    Error::new(ErrorKind::UnsupportedMediaType, message).into()
}

impl Fields {
    fn read(kind: ContentType, body: &[u8]) -> std::result::Result<Self, ErrorResponse> {
        let looks_like_json = || body.trim_ascii_start().starts_with(b"{");
        match kind {
            ContentType::Json => {}
            ContentType::UrlEncoded if looks_like_json() => {}
            ContentType::UrlEncoded | ContentType::Other => return Err(not_json()),
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Error::validation("body", "Send a JSON object.").into()),
            Err(cause) => {
                Err(Error::validation("body", format!("This is not JSON: {cause}.")).into())
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        self.get(name)
            .map(|value| {
                value
                    .as_str()
                    .ok_or_else(|| Error::validation(name, format!("{name} must be a text.")))
            })
            .transpose()
    }

    pub fn required_text(&self, name: &str) -> Result<&str> {
        self.text(name)?
            .ok_or_else(|| Error::validation(name, format!("{name} is required.")))
    }

    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        self.get(name)
            .map(|value| {
                value.as_bool().ok_or_else(|| {
                    Error::validation(name, format!("{name} must be true or false."))
                })
            })
            .transpose()
    }

    pub fn number(&self, name: &str) -> Result<Option<u32>> {
        let wrong = || Error::validation(name, format!("{name} must be a whole number."));
        self.get(name)
            .map(|value| {
                // 30.0 is a whole number too, and what some clients make of 30.
                let whole = value.as_u64().or_else(|| {
                    let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
                    (0.0..=f64::from(u32::MAX))
                        .contains(&number)
                        .then_some(number as u64)
                });
                whole
                    .and_then(|number| u32::try_from(number).ok())
                    .ok_or_else(wrong)
            })
            .transpose()
    }

    pub fn texts(&self, name: &str) -> Result<Option<Vec<&str>>> {
        let wrong = || Error::validation(name, format!("{name} must be a list of texts."));
        self.get(name)
            .map(|value| {
                value
                    .as_array()
                    .ok_or_else(wrong)?
                    .iter()
                    .map(|entry| entry.as_str().ok_or_else(wrong))
                    .collect()
            })
            .transpose()
    }

    pub fn map(&self, name: &str) -> Result<Option<Vec<(String, String)>>> {
        let wrong = || Error::validation(name, format!("{name} must be an object of texts."));
        self.get(name)
            .map(|value| {
                value
                    .as_object()
                    .ok_or_else(wrong)?
                    .iter()
                    .map(|(key, value)| {
                        Ok((key.clone(), value.as_str().ok_or_else(wrong)?.to_owned()))
                    })
                    .collect()
            })
            .transpose()
    }

    pub fn object(&self, name: &str) -> Result<Option<Self>> {
        self.get(name)
            .map(|value| {
                value
                    .as_object()
                    .cloned()
                    .map(Self)
                    .ok_or_else(|| Error::validation(name, format!("{name} must be an object.")))
            })
            .transpose()
    }

    pub fn json(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }
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
                serde_json::from_value(Value::from(text))
                    .map_err(|_| Error::validation(name, format!("{name} must be {expected}.")))
            })
            .transpose()
    }
}
