//! A function's answer as the listener passes it on, and whose cookies pass.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::port::platform::BrokenOff;
use crate::service::invocations::FunctionAnswer;

pub(super) fn to_response(answer: FunctionAnswer, is_head: bool) -> Response {
    let (status, headers, body) = match answer {
        FunctionAnswer::Whole(answer) => (answer.status, answer.headers, answer.body.into()),
        FunctionAnswer::Begun(begun) => {
            let body = pieces(begun.body, is_head || has_no_body(begun.status));
            (begun.status, begun.headers, body)
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    for hop_by_hop in [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    ] {
        headers.remove(hop_by_hop);
    }
    drop_console_cookies(headers, header::SET_COOKIE);
    response
}

/// What arrives of an answer. Of one that has no body nobody reads it, which must not be taken for a caller who left.
fn pieces(mut body: UnboundedReceiver<Result<Bytes, BrokenOff>>, is_unread: bool) -> Body {
    if is_unread {
        tokio::spawn(async move { while body.recv().await.is_some() {} });
        return Body::empty();
    }
    Body::from_stream(futures::stream::poll_fn(move |context| {
        body.poll_recv(context)
    }))
}

fn has_no_body(status: StatusCode) -> bool {
    matches!(status.as_u16(), 204 | 304)
}

/// Cookies are shared by all ports of a host: the console's own stay out of functions, and functions cannot set them.
pub(super) fn drop_console_cookies(headers: &mut HeaderMap, name: header::HeaderName) {
    let is_ours = |cookie: &str| {
        cookie
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("blue_faas_")
    };
    let values: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
    if values.is_empty() {
        return;
    }
    headers.remove(&name);
    for value in values {
        let Ok(text) = value.to_str() else {
            headers.append(name.clone(), value);
            continue;
        };
        if name == header::SET_COOKIE {
            if !is_ours(text) {
                headers.append(name.clone(), value);
            }
            continue;
        }
        let kept: Vec<&str> = text
            .split(';')
            .map(str::trim)
            .filter(|cookie| !is_ours(cookie))
            .collect();
        if let Ok(value) = HeaderValue::from_str(&kept.join("; "))
            && !kept.is_empty()
        {
            headers.append(name.clone(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_consoles_cookies_stay_apart() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("a=1; blue_faas_theme=dark; b=2"),
        );
        drop_console_cookies(&mut headers, header::COOKIE);
        assert_eq!(headers.get(header::COOKIE).expect("kept"), "a=1; b=2");
        let mut headers = HeaderMap::new();
        headers.append(
            header::SET_COOKIE,
            HeaderValue::from_static("blue_faas_theme=evil"),
        );
        headers.append(header::SET_COOKIE, HeaderValue::from_static("own=1"));
        drop_console_cookies(&mut headers, header::SET_COOKIE);
        assert_eq!(
            headers
                .get_all(header::SET_COOKIE)
                .iter()
                .collect::<Vec<_>>(),
            ["own=1"]
        );
    }
}
