//! Bodies, and the fields of those that are JSON.

use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::super::error::ErrorResponse;
use crate::model::error::{Error, ErrorKind, Result};

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

/// Values of a JSON body at most: each takes memory of its own, many times its text.
const MAX_VALUES: usize = 200_000;

/// About as many values as a JSON text has.
fn values(json: &[u8]) -> usize {
    let (mut values, mut is_text, mut is_escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'[' | b'{' | b',' if !is_text => values += 1,
            _ => {}
        }
    }
    values
}

fn too_many_values() -> ErrorResponse {
    let message = format!(
        "The body has more than {MAX_VALUES} values. Send what is passed on as one text, which may hold JSON."
    );
    Error::validation("body", message).into()
}

impl Fields {
    fn read(kind: ContentType, body: &[u8]) -> std::result::Result<Self, ErrorResponse> {
        let looks_like_json = || body.trim_ascii_start().starts_with(b"{");
        match kind {
            ContentType::Json => {}
            ContentType::UrlEncoded if looks_like_json() => {}
            ContentType::UrlEncoded | ContentType::Other => return Err(not_json()),
        }
        if body.len() > MAX_VALUES && values(body) > MAX_VALUES {
            return Err(too_many_values());
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

    pub fn json(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}
