//! An answer on its way: passed on whole when it is quick and short, else as it comes.

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::{HeaderMap, Method, StatusCode};
use std::time::Duration;
use tokio::sync::mpsc;

use super::{failure, keep_end_to_end};
use crate::model::execution::Level;
use crate::port::platform::{Answer, Begun, BrokenOff, Call, CallFailure, OnBegin, Outcome};

/// One that is complete this long after its head is passed on whole: a function that fails until then gives an error.
const SOON: Duration = Duration::from_millis(20);
/// So is one of this many bytes at most.
const WHOLE: usize = 64 * 1024;

pub(super) struct Arriving {
    response: Option<reqwest::Response>,
    status: StatusCode,
    headers: HeaderMap,
    max_body: usize,
    on_begin: Option<OnBegin>,
    /// Who gets the answer piece by piece, once it has begun.
    pieces: Option<mpsc::UnboundedSender<Result<Bytes, BrokenOff>>>,
    body: BytesMut,
    too_large: bool,
}

impl Arriving {
    pub fn new(response: reqwest::Response, call: &Call, on_begin: Option<OnBegin>) -> Self {
        let mut headers = response.headers().clone();
        keep_end_to_end(&mut headers);
        let announced = response.content_length().unwrap_or_default();
        Self {
            status: response.status(),
            headers,
            max_body: call.max_body,
            on_begin,
            pieces: None,
            body: BytesMut::new(),
            too_large: call.method != Method::HEAD && announced > call.max_body as u64,
            response: Some(response),
        }
    }

    pub async fn outcome(mut self) -> Outcome {
        match self.read().await {
            Ok(End::Complete) => Outcome::of(Ok(self.answer())),
            Ok(End::Abandoned) => {
                let note = "The caller left before the answer was complete.";
                Outcome {
                    lines: vec![(Level::Info, note.to_owned())],
                    ..Outcome::of(Ok(self.answer()))
                }
            }
            Err(failure) => {
                if let Some(pieces) = &self.pieces {
                    let _ = pieces.send(Err(BrokenOff));
                }
                Outcome::failed(failure)
            }
        }
    }

    async fn read(&mut self) -> Result<End, CallFailure> {
        if self.status.is_informational() {
            return Err(CallFailure::announced(self.status));
        }
        let Some(response) = self.response.take().filter(|_| !self.too_large) else {
            return Err(CallFailure::ResponseTooLarge);
        };
        let mut chunks = Box::pin(response.bytes_stream());
        let mut soon = Box::pin(tokio::time::sleep(SOON));
        loop {
            let pieces = self.pieces.clone();
            let gone = async {
                match &pieces {
                    Some(pieces) => pieces.closed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                chunk = chunks.next() => match chunk {
                    None => return Ok(End::Complete),
                    Some(Ok(chunk)) => self.take(chunk)?,
                    Some(Err(error)) => return Err(failure(error)),
                },
                () = &mut soon, if self.on_begin.is_some() => self.begin(),
                () = gone => return Ok(End::Abandoned),
            }
        }
    }

    fn take(&mut self, chunk: Bytes) -> Result<(), CallFailure> {
        if self.body.len() + chunk.len() > self.max_body {
            return Err(CallFailure::ResponseTooLarge);
        }
        self.body.extend_from_slice(&chunk);
        match &self.pieces {
            Some(pieces) => {
                let _ = pieces.send(Ok(chunk));
            }
            None if self.body.len() > WHOLE => self.begin(),
            None => {}
        }
        Ok(())
    }

    fn begin(&mut self) {
        let Some(on_begin) = self.on_begin.take() else {
            return;
        };
        let (pieces, body) = mpsc::unbounded_channel();
        if !self.body.is_empty() {
            let _ = pieces.send(Ok(Bytes::copy_from_slice(&self.body)));
        }
        self.pieces = Some(pieces);
        on_begin(Begun {
            status: self.status,
            headers: self.headers.clone(),
            body,
        });
    }

    fn answer(self) -> Answer {
        Answer {
            status: self.status,
            headers: self.headers,
            body: self.body.freeze(),
        }
    }
}

enum End {
    Complete,
    /// Whoever took the pieces is gone, which ends the call.
    Abandoned,
}
