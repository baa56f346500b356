//! A worker's outbound requests: decided about and sent here, by the settings of the call they are made in.

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyDataStream, BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;

use super::calls::Calls;
use super::outbound::{OutboundClient, admit, failure};
use crate::adapter::platform::wasmtime::protocol::{
    CONNECTION_WINDOW, Cause, FETCH_CALL, FETCH_REFUSED, FETCH_URL, FETCH_WAIT, Refusal,
    STREAM_WINDOW,
};

/// Of all calls of a worker at once.
const MAX_REQUESTS: u32 = 4_096;

type Body = BoxBody<Bytes, reqwest::Error>;

/// Serves a worker's requests until it ends.
pub(super) async fn serve(stream: UnixStream, calls: Arc<Calls>, client: Arc<OutboundClient>) {
    let service = service_fn(|request| {
        let (calls, client) = (calls.clone(), client.clone());
        async move {
            let answer = send(&calls, &client, request).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|refusal| refused(&refusal)))
        }
    });
    let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_REQUESTS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn send(
    calls: &Calls,
    client: &OutboundClient,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    let (mut parts, body) = request.into_parts();
    let headers = &mut parts.headers;
    let number = |value: Option<HeaderValue>| value?.to_str().ok()?.parse::<u64>().ok();
    let call = number(headers.remove(FETCH_CALL));
    let wait = number(headers.remove(FETCH_WAIT)).unwrap_or_default();
    let url = headers.remove(FETCH_URL);
    let unknown = || Refusal {
        cause: Cause::Other("the call it was made in has ended".to_owned()),
        note: None,
    };
    let settings = call
        .and_then(|call| calls.settings(call))
        .ok_or_else(unknown)?;
    let url = url.as_ref().and_then(|url| url.to_str().ok());
    let url = admit(&settings.hosts, url.unwrap_or_default())?;
    let client = client.get().ok_or_else(|| Refusal {
        cause: Cause::Misconfigured,
        note: Some(
            "Outbound requests are not possible: the server cannot read its certificates."
                .to_owned(),
        ),
    })?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let mut sent = reqwest::Request::new(parts.method, url);
    *sent.headers_mut() = parts.headers;
    *sent.timeout_mut() = Some(Duration::from_millis(wait));
    *sent.body_mut() = Some(reqwest::Body::wrap_stream(BodyDataStream::new(body)));
    let response = client.execute(sent).await;
    let response = response.map_err(|error| failure(&host, &error))?;
    let mut response = Response::<reqwest::Body>::from(response).map(BodyExt::boxed);
    response.headers_mut().remove(FETCH_REFUSED);
    Ok(response)
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let text = serde_json::to_vec(refusal).unwrap_or_default();
    let body = Full::from(text).map_err(|never: Infallible| match never {});
    let mut response = Response::new(body.boxed());
    response
        .headers_mut()
        .insert(FETCH_REFUSED, HeaderValue::from_static("yes"));
    response
}
