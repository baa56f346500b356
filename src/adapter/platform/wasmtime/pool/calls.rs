//! The calls that a worker has under way, and who waits for them.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};

use super::super::protocol::{CallId, Ended, Head};
use super::super::settings::Settings;
use crate::model::execution::Level;
use crate::port::platform::{Answer, Begun, BrokenOff, CallFailure, OnBegin, Outcome};

pub(super) const HUNG: &str = "its worker process hung and was ended";

#[derive(Default)]
pub(super) struct Calls {
    state: Mutex<State>,
    /// A call did not end in time.
    pub hangs: Notify,
}

struct State {
    /// Calls since the worker began; the next one's number.
    count: u64,
    /// Or why the worker ended.
    under_way: Result<HashMap<CallId, UnderWay>, String>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            count: 0,
            under_way: Ok(HashMap::new()),
        }
    }
}

pub(super) struct UnderWay {
    settings: Arc<Settings>,
    pub wanted: Wanted,
}

/// What somebody waits for.
pub(super) enum Wanted {
    Answer(Answering),
    Proof(oneshot::Sender<Result<(), String>>),
}

impl Calls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call in, unless the worker has ended.
    pub fn begin(&self, settings: &Arc<Settings>, wanted: Wanted) -> Option<CallId> {
        let mut state = self.state();
        let call = state.count;
        let settings = settings.clone();
        let under_way = state.under_way.as_mut().ok()?;
        under_way.insert(call, UnderWay { settings, wanted });
        state.count += 1;
        Some(call)
    }

    /// Under way; `None` when the worker takes no more.
    pub fn load(&self) -> Option<usize> {
        self.state().under_way.as_ref().ok().map(HashMap::len)
    }

    pub fn end(&self, call: CallId) -> Option<Wanted> {
        let mut state = self.state();
        let call = state.under_way.as_mut().ok()?.remove(&call)?;
        Some(call.wanted)
    }

    /// The settings of a call under way.
    pub fn settings(&self, call: CallId) -> Option<Arc<Settings>> {
        let state = self.state();
        Some(state.under_way.as_ref().ok()?.get(&call)?.settings.clone())
    }

    /// Does something with the answer of a call under way; nobody waits for one that is not.
    pub fn answer(
        &self,
        call: CallId,
        change: impl FnOnce(&mut Answering) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut state = self.state();
        let calls = state.under_way.as_mut().ok();
        match calls.and_then(|calls| Some(&mut calls.get_mut(&call)?.wanted)) {
            Some(Wanted::Answer(answering)) => change(answering),
            Some(Wanted::Proof(_)) => Err(io::Error::other("an answer to what was no call")),
            None => Ok(()),
        }
    }

    /// Fails what is under way, for the first reason that is given.
    pub fn close(&self, reason: &str) {
        let mut state = self.state();
        if state.under_way.is_ok() {
            let lost = std::mem::replace(&mut state.under_way, Err(reason.to_owned()));
            drop(state);
            // Whoever waits for one of these finds its sender gone.
            drop(lost);
        }
    }

    /// A call is not answered in time, whatever its worker does: that is ended.
    pub fn hang(&self) {
        self.close(HUNG);
        self.hangs.notify_one();
    }

    /// Calls since the worker began.
    pub fn count(&self) -> u64 {
        self.state().count
    }

    pub fn reason(&self) -> String {
        match &self.state().under_way {
            Ok(_) => "its worker process lost it".to_owned(),
            Err(reason) => reason.clone(),
        }
    }
}

pub(super) type Piece = Result<Bytes, BrokenOff>;

/// An answer on its way.
pub(super) struct Answering {
    done: oneshot::Sender<Outcome>,
    early: Option<Early>,
}

/// For a caller who wants the answer as it comes.
struct Early {
    /// Until it begins.
    on_begin: Option<(OnBegin, mpsc::UnboundedReceiver<Piece>)>,
    pieces: mpsc::UnboundedSender<Piece>,
    max_body: usize,
    /// Once it has begun.
    head: Option<(StatusCode, HeaderMap)>,
    /// What went ahead of it.
    body: BytesMut,
}

impl Early {
    fn take(&mut self, piece: &Bytes) -> io::Result<()> {
        if self.body.len() + piece.len() > self.max_body {
            return Err(io::Error::other("an answer above its limit"));
        }
        self.body.extend_from_slice(piece);
        if !piece.is_empty() {
            let _ = self.pieces.send(Ok(piece.clone()));
        }
        Ok(())
    }

    /// The answer as far as it came, if it has begun.
    fn answer(&mut self) -> Option<Answer> {
        let (status, headers) = self.head.take()?;
        let body = self.body.split().freeze();
        Some(Answer {
            status,
            headers,
            body,
        })
    }
}

impl Answering {
    pub fn whole(done: oneshot::Sender<Outcome>) -> Self {
        let early = None;
        Self { done, early }
    }

    /// With a sender that tells when nobody takes the pieces any more.
    pub fn in_pieces(
        done: oneshot::Sender<Outcome>,
        on_begin: OnBegin,
        max_body: usize,
    ) -> (Self, mpsc::UnboundedSender<Piece>) {
        let (pieces, receiver) = mpsc::unbounded_channel();
        let early = Some(Early {
            on_begin: Some((on_begin, receiver)),
            pieces: pieces.clone(),
            max_body,
            head: None,
            body: BytesMut::new(),
        });
        (Self { done, early }, pieces)
    }

    pub fn begin(&mut self, head: Head, first: &Bytes) -> io::Result<()> {
        let unasked = || io::Error::other("an answer in pieces that was not asked for");
        let early = self.early.as_mut().ok_or_else(unasked)?;
        let (on_begin, body) = early.on_begin.take().ok_or_else(unasked)?;
        let (status, headers) = head.read()?;
        early.head = Some((status, headers.clone()));
        on_begin(Begun {
            status,
            headers,
            body,
        });
        early.take(first)
    }

    pub fn take(&mut self, piece: &Bytes) -> io::Result<()> {
        match &mut self.early {
            Some(early) if early.head.is_some() => early.take(piece),
            _ => Err(io::Error::other("a piece of an answer that has not begun")),
        }
    }

    pub fn end(mut self, ended: Ended, rest: Bytes) -> io::Result<()> {
        let result = match ended.result {
            Ok(head) => Ok(self.complete(head, rest)?),
            Err(failure) => Err(failure),
        };
        let outcome = Outcome {
            result,
            lines: ended.lines,
            lines_truncated: ended.lines_truncated,
            usage: ended.usage,
        };
        let outcome = self.as_left(outcome);
        let _ = self.done.send(outcome);
        Ok(())
    }

    fn complete(&mut self, head: Head, rest: Bytes) -> io::Result<Answer> {
        if let Some(early) = self.early.as_mut().filter(|early| early.head.is_some()) {
            early.take(&rest)?;
            if let Some(answer) = early.answer() {
                return Ok(answer);
            }
        }
        let (status, headers) = head.read()?;
        Ok(Answer {
            status,
            headers,
            body: rest,
        })
    }

    /// Of a call whose caller left: what had been answered, if that had begun.
    fn as_left(&mut self, mut outcome: Outcome) -> Outcome {
        if matches!(outcome.result, Err(CallFailure::CallerLeft { .. }))
            && let Some(answer) = self.early.as_mut().and_then(Early::answer)
        {
            let note = "The caller left before the answer was complete; the function was stopped.";
            outcome.lines.push((Level::Info, note.to_owned()));
            outcome.result = Ok(answer);
        }
        outcome
    }

    /// Without a word of the worker about it.
    pub fn abandon(mut self) -> Outcome {
        self.as_left(Outcome::failed(CallFailure::CallerLeft { ran: true }))
    }
}
