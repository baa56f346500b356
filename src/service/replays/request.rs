//! A recorded request as a call.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

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
        .and_then(|address| address.parse::<Uri>().ok())
        // What went to an `invocationUrl` may hold any header under this name.
        .filter(|uri| {
            uri.path() == recorded.path && uri.query().unwrap_or_default() == recorded.query
        });
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_has_the_address_it_was_recorded_with() {
        let function: FunctionRecord = serde_json::from_value(json!({
            "id": "fn-1", "workspaceId": "ws-1", "name": "Orders", "lastModified": "2026-11-20T14:02:11+09:00",
        }))
        .expect("a function");
        let address_for = |full_url: &str| {
            let recorded = RecordedRequest {
                method: "GET".to_owned(),
                path: "/orders".to_owned(),
                query: "page=2".to_owned(),
                headers: vec![(FULL_URL.to_owned(), full_url.to_owned())],
                body: String::new(),
                altered: Vec::new(),
            };
            let request = function_request(&function, &recorded).expect("a request");
            assert_eq!(request.headers[FULL_URL], request.uri.to_string());
            request.uri.to_string()
        };
        let own = "https://shop.example/orders?page=2";
        assert_eq!(address_for(own), own);
        assert_eq!(
            address_for("https://shop.example/other"),
            "http://replay.localhost/orders?page=2"
        );
    }
}
