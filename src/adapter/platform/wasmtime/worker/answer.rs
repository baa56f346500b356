//! A guest's answer: passed on whole where it is soon complete, in pieces where it takes its time.

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::super::protocol::{CallId, Head, Report};
use super::server::Server;
use crate::port::platform::Answer;

/// An answer that is complete so soon after its head is passed on whole: if the guest fails in between, its caller gets an error instead.
const SOON: Duration = Duration::from_millis(20);
/// Bytes of a piece, where so many are there; fewer are passed on whole.
const PIECE: usize = 64 * 1024;

pub(super) type Response = Result<http::Response<HyperOutgoingBody>, ErrorCode>;

/// Why there is no complete answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The guest ended, or was ended, before it answered or before its answer was complete.
    Incomplete,
    TooLarge,
    /// The guest answered with an error instead of a response.
    Refused(ErrorCode),
    /// It answered with a status below 200, which announces an answer and is none: sent as one, it would end its caller's connection.
    Announced(StatusCode),
}

/// To whom an answer goes in pieces.
pub(super) struct Pieces {
    pub server: Arc<Server>,
    pub call: CallId,
}

impl Pieces {
    fn begin(&self, parts: &http::response::Parts, first: Bytes) {
        let (call, head) = (self.call, Head::new(parts.status, &parts.headers));
        self.server.report(&Report::Begun { call, head }, first);
    }

    fn send(&self, piece: Bytes) {
        let call = self.call;
        self.server.report(&Report::Piece { call }, piece);
    }
}

/// The answer, of whose body what went ahead in pieces is left out.
pub(super) async fn receive(
    receiver: oneshot::Receiver<Response>,
    max_body: usize,
    pieces: Option<Pieces>,
) -> Result<Answer, NoAnswer> {
    let (parts, body) = receiver
        .await
        .map_err(|_| NoAnswer::Incomplete)?
        .map_err(NoAnswer::Refused)?
        .into_parts();
    if parts.status.is_informational() {
        return Err(NoAnswer::Announced(parts.status));
    }
    let mut body = Body {
        rest: Limited::new(body, max_body),
        read: BytesMut::new(),
    };
    if let Some(pieces) = pieces {
        let soon = tokio::time::timeout(SOON, body.read(PIECE)).await;
        let mut is_complete = soon.unwrap_or(Ok(false))?;
        if !is_complete {
            pieces.begin(&parts, body.take());
        }
        while !is_complete {
            is_complete = body.read_piece().await?;
            if !is_complete {
                pieces.send(body.take());
            }
        }
    } else {
        body.read(usize::MAX).await?;
    }
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.take(),
    })
}

struct Body {
    rest: Limited<HyperOutgoingBody>,
    read: BytesMut,
}

impl Body {
    fn take(&mut self) -> Bytes {
        self.read.split().freeze()
    }

    /// Until there are so many bytes, or the end: that is `true`. What was read stays when this is dropped.
    async fn read(&mut self, enough: usize) -> Result<bool, NoAnswer> {
        while self.read.len() < enough {
            match self.rest.frame().await {
                None => return Ok(true),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) if error.is::<LengthLimitError>() => {
                    return Err(NoAnswer::TooLarge);
                }
                Some(Err(_)) => return Err(NoAnswer::Incomplete),
            }
        }
        Ok(false)
    }

    /// Waits for the next bytes and takes those along that are there as well.
    async fn read_piece(&mut self) -> Result<bool, NoAnswer> {
        if self.read(1).await? {
            return Ok(true);
        }
        self.read(PIECE).now_or_never().unwrap_or(Ok(false))
    }
}
