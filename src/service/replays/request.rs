//! A recorded request as a call.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::model::error::{Error, Result};
use crate::model::replay::RecordedRequest;
use crate::service::functions::FunctionRecord;
use crate::service::invocations::{FunctionRequest, TestRequest, local_request};

/// The address as the function saw it, which is one of Spin's headers.
const FULL_URL: &str = "spin-full-url";

/// With the address and Spin's headers as they were recorded, where they were; else as a test would have them.
pub(super) fn function_request(
    function: &FunctionRecord,
    recorded: &RecordedRequest,
) -> Result<FunctionRequest> {
    let method = Method::from_bytes(recorded.method.as_bytes()).map_err(|_| {
        Error::validation(
            "method",
            "This request's method is none of HTTP's. Send it anew.",
        )
    })?;
    let (headers, body) = (headers(recorded)?, Bytes::from(recorded.body.clone()));
    let address = headers
        .get(FULL_URL)
        .and_then(|address| address.to_str().ok())
        .and_then(|address| address.parse().ok());
    if let Some(uri) = address {
        return Ok(FunctionRequest {
            method,
            uri,
            headers,
            body,
        });
    }
    let app = function
        .app_name
        .as_ref()
        .map_or("replay", |app| app.as_str());
    let request = TestRequest {
        method,
        path: recorded.path.clone(),
        query: recorded.query.clone(),
        headers,
        body,
    };
    local_request(app, request)
}

fn headers(recorded: &RecordedRequest) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &recorded.headers {
        let wrong = || {
            Error::validation(
                "requestHeaders",
                "This request's headers cannot be sent again. Send it anew.",
            )
        };
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?,
            HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?,
        );
    }
    Ok(headers)
}
