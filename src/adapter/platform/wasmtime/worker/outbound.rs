//! HTTP requests of guests. A worker has no network: it hands them to the server, which knows what the function may reach.

use http_body_util::{BodyExt as _, Limited};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use super::super::protocol::{
    CallId, Cause, FETCH_CALL, FETCH_REFUSED, FETCH_URL, FETCH_WAIT, Refusal,
};
use super::output::Output;
use super::server::Server;

/// Requests of one call at once.
const MAX_REQUESTS: usize = 32;
/// Bytes of a refusal at most.
const MAX_REFUSAL: usize = 64 * 1024;

/// One call's right to send requests.
pub(super) struct Outbound {
    server: Arc<Server>,
    call: CallId,
    output: Output,
    deadline: Instant,
    slots: Arc<Semaphore>,
}

impl Outbound {
    pub fn new(server: Arc<Server>, call: CallId, output: Output, deadline: Instant) -> Self {
        Self {
            server,
            call,
            output,
            deadline,
            slots: Arc::new(Semaphore::new(MAX_REQUESTS)),
        }
    }
}

type Sent = (
    http::Response<WasiBody>,
    Box<dyn Future<Output = Result<()>> + Send>,
);

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent>> + Send> {
        let slot = self.slots.clone().try_acquire_owned();
        let (server, output) = (self.server.clone(), self.output.clone());
        let rest = self.deadline.saturating_duration_since(Instant::now());
        let request = addressed(request, self.call, rest);
        Box::new(async move {
            let slot = slot.map_err(|_| Error::ConnectionLimitReached)?;
            let first_byte = options
                .and_then(|options| options.first_byte_timeout)
                .unwrap_or(rest)
                .min(rest);
            let mut requests = server.requests.clone();
            let sending = requests.send_request(request?);
            let response = tokio::time::timeout(first_byte, sending)
                .await
                .map_err(|_| Error::ConnectionReadTimeout)?
                .map_err(|error| Error::InternalError(Some(error.to_string())))?;
            if response.headers().contains_key(FETCH_REFUSED) {
                return Err(refused(response.into_body(), &output).await);
            }
            let done: Box<dyn Future<Output = Result<()>> + Send> =
                Box::new(std::future::ready(Ok(())));
            Ok((response.map(|body| held(body, slot)), done))
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        // The Python SDK writes 4 KiB at a time; each write beyond the buffer is a switch between guest and reader.
        16
    }
}

/// The request as the server takes it: for whom, where to, and how long.
fn addressed(
    request: http::Request<WasiBody>,
    call: CallId,
    wait: Duration,
) -> Result<http::Request<WasiBody>> {
    let (mut parts, body) = request.into_parts();
    let url = parts.uri.to_string().parse();
    let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let headers = &mut parts.headers;
    // Whoever sends the request on sets it from the URL.
    headers.remove(http::header::HOST);
    headers.remove(FETCH_REFUSED);
    headers.insert(FETCH_URL, url.map_err(|_| Error::HttpRequestUriInvalid)?);
    headers.insert(FETCH_CALL, call.into());
    headers.insert(FETCH_WAIT, wait.into());
    parts.uri = http::Uri::from_static("http://server/");
    Ok(http::Request::from_parts(parts, body))
}

/// The error for the guest; the developer reads the note.
async fn refused(body: hyper::body::Incoming, output: &Output) -> Error {
    let Ok(text) = Limited::new(body, MAX_REFUSAL).collect().await else {
        return Error::InternalError(None);
    };
    let Ok(refusal) = serde_json::from_slice::<Refusal>(&text.to_bytes()) else {
        return Error::InternalError(None);
    };
    if let Some(note) = refusal.note {
        output.note(&note);
    }
    match refusal.cause {
        Cause::InvalidUrl => Error::HttpRequestUriInvalid,
        Cause::NotListed => Error::HttpRequestDenied,
        Cause::PrivateAddress => Error::DestinationIpProhibited,
        Cause::Unreachable => Error::DestinationUnavailable,
        Cause::TimedOut => Error::ConnectionTimeout,
        Cause::Misconfigured => Error::ConfigurationError,
        Cause::Other(cause) => Error::InternalError(Some(cause)),
    }
}

/// The answer's body, which keeps its request counted until it is read.
fn held(body: hyper::body::Incoming, slot: OwnedSemaphorePermit) -> WasiBody {
    let body = body.map_err(|error| Error::InternalError(Some(error.to_string())));
    body.map_frame(move |frame| {
        let _held = &slot;
        frame
    })
    .boxed_unsync()
}
