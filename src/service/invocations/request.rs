//! Requests as functions see them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::model::error::{Error, Result};

/// A request to a function, before its app's settings are known.
#[derive(Clone, Debug)]
pub struct FunctionRequest {
    pub method: Method,
    /// As the function sees it.
    pub uri: http::Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A full request for `/test`.
#[derive(Clone, Debug)]
pub struct TestRequest {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The URI and Spin's headers, as the functions listener gives them.
pub(in crate::service) fn local_request(
    app: &str,
    request: TestRequest,
) -> Result<FunctionRequest> {
    let path = if request.path.starts_with('/') {
        request.path
    } else {
        format!("/{}", request.path)
    };
    let query = request.query.trim_start_matches('?');
    let full = if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    };
    let host = format!("{app}.localhost");
    let uri: http::Uri = format!("http://{host}{full}").parse().map_err(|_| Error::validation("path", "This path or query cannot be part of an address. Percent-encode what is not a plain character."))?;
    let mut headers = request.headers;
    headers
        .entry(http::header::HOST)
        .or_insert(HeaderValue::from_str(&host).unwrap_or(HeaderValue::from_static("localhost")));
    add_spin_headers(&mut headers, &uri, "/", "127.0.0.1:0");
    Ok(FunctionRequest {
        method: request.method,
        uri,
        headers,
        body: request.body,
    })
}

/// What Spin tells a component about its request. Values from outside under these names are dropped.
pub fn add_spin_headers(headers: &mut HeaderMap, uri: &http::Uri, base_path: &str, client: &str) {
    let theirs: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("spin-"))
        .cloned()
        .collect();
    for name in theirs {
        headers.remove(name);
    }
    let values = [
        ("spin-path-info", uri.path().to_owned()),
        ("spin-full-url", uri.to_string()),
        ("spin-matched-route", "/...".to_owned()),
        ("spin-raw-component-route", "/...".to_owned()),
        ("spin-component-route", String::new()),
        ("spin-base-path", base_path.to_owned()),
        ("spin-client-addr", client.to_owned()),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
