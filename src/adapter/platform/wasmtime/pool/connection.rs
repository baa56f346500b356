//! One worker as the server sees it: what it has loaded and the calls it has under way.

use bytes::Bytes;
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

use super::super::protocol::{BaseId, CallId, Frame, Headers, Order, ProgramId, Request, Source};
use super::super::settings::Settings;
use super::calls::{Answering, Calls, Wanted};
use super::{BaseProgram, Loadable, Loaded};
use crate::port::platform::{BrokenOff, Call, CallFailure, Caller, Outcome};

/// How much later than a call's own timeout its worker must have answered. One that has not hangs, and is ended. With two hundred guests that
/// compute, a worker looks at its timers every two seconds.
const GRACE: Duration = Duration::from_secs(6);
/// In which a worker tells what a call had printed and used whose caller left. Until then, or until it tells, the call has its place.
const FAREWELL: Duration = Duration::from_secs(1);
/// Of a proof, which has a timeout of its own in the worker.
const PROOF: Duration = Duration::from_secs(15);

/// A call that did not begin, because the worker had ended.
pub(super) struct Gone(pub Box<Call>);

/// The server's end. The worker ends with it.
pub(super) struct Worker {
    orders: mpsc::UnboundedSender<Frame>,
    calls: Arc<Calls>,
    loaded: Mutex<InWorker>,
}

#[derive(Default)]
struct InWorker {
    bases: HashSet<BaseId>,
    programs: HashSet<ProgramId>,
}

impl Worker {
    pub fn new(orders: mpsc::UnboundedSender<Frame>, calls: Arc<Calls>) -> Self {
        Self {
            orders,
            calls,
            loaded: Mutex::default(),
        }
    }

    /// Calls under way; `None` when it takes no more.
    pub fn load(&self) -> Option<usize> {
        self.calls.load()
    }

    /// What is sent to a worker that has ended is lost; its calls learn of it by themselves.
    fn send(&self, order: &Order, rest: Bytes) -> io::Result<()> {
        let _ = self.orders.send(Frame::new(order, rest)?);
        Ok(())
    }

    fn loaded(&self) -> MutexGuard<'_, InWorker> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the program loaded before whatever is sent next.
    fn ensure(&self, program: &Loaded) -> io::Result<()> {
        // Held while sending, so that no other call of the program overtakes.
        let mut loaded = self.loaded();
        if loaded.programs.contains(&program.id) {
            return Ok(());
        }
        let mut base_id = |base: &BaseProgram| {
            if loaded.bases.insert(base.id) {
                let (base, folder) = (base.id, base.folder.clone());
                self.send(&Order::LoadBase { base, folder }, Bytes::new())?;
            }
            io::Result::Ok(base.id)
        };
        let (source, image) = match &program.loadable {
            Loadable::Component { native } => {
                let native = native.clone();
                (Source::Component { native }, Bytes::new())
            }
            Loadable::Image { base, restorer } => {
                let (base, grow) = (base_id(base)?, restorer.grow);
                (Source::Image { base, grow }, restorer.runs.clone())
            }
            Loadable::Memory { base, native } => {
                let (base, native) = (base_id(base)?, native.clone());
                (Source::Memory { base, native }, Bytes::new())
            }
        };
        let program = program.id;
        self.send(&Order::Load { program, source }, image)?;
        loaded.programs.insert(program);
        Ok(())
    }

    pub fn unload(&self, program: ProgramId) {
        if self.loaded().programs.remove(&program) {
            // Nothing was under way with it: calls hold the program.
            let _ = self.send(&Order::Unload { program }, Bytes::new());
        }
    }

    /// `Err` when the worker ended.
    pub async fn prove(
        &self,
        program: &Loaded,
        settings: &Arc<Settings>,
        memory: usize,
    ) -> Result<Result<(), String>, ()> {
        let (done, proof) = oneshot::channel();
        let call = self.calls.begin(settings, Wanted::Proof(done)).ok_or(())?;
        let order = Order::Prove {
            call,
            program: program.id,
            environment: settings.environment.clone(),
            memory,
        };
        let sent = self
            .ensure(program)
            .and_then(|()| self.send(&order, Bytes::new()));
        if let Err(error) = sent {
            self.calls.end(call);
            return Ok(Err(error.to_string()));
        }
        let Ok(proof) = tokio::time::timeout(PROOF, proof).await else {
            self.calls.hang();
            return Err(());
        };
        proof.map_err(|_| ())
    }

    pub async fn call(
        &self,
        program: &Loaded,
        settings: &Arc<Settings>,
        call: Call,
        caller: Option<Caller>,
    ) -> Result<Outcome, Gone> {
        let (done, mut outcome) = oneshot::channel();
        let (answering, taker) = match caller {
            Some(Caller { on_begin, left }) => {
                let (answering, pieces) = Answering::in_pieces(done, on_begin, call.max_body);
                (answering, Some((pieces, left)))
            }
            None => (Answering::whole(done), None),
        };
        let Some(id) = self.calls.begin(settings, Wanted::Answer(answering)) else {
            return Err(Gone(Box::new(call)));
        };
        let mut unfinished = Unfinished {
            worker: self,
            call: Some(id),
        };
        let timeout = call.timeout;
        let order = Order::Call {
            call: id,
            program: program.id,
            environment: settings.environment.clone(),
            request: Request {
                method: call.method.to_string(),
                uri: call.uri.to_string(),
                headers: Headers::from(&call.headers),
                timeout,
                memory: call.memory,
                max_body: call.max_body,
                in_pieces: taker.is_some(),
                reuse: settings.reuse,
            },
        };
        let sent = self
            .ensure(program)
            .and_then(|()| self.send(&order, call.body));
        if let Err(error) = sent {
            return Ok(Outcome::failed(CallFailure::Unreachable(error.to_string())));
        }
        let is_left = async {
            match &taker {
                Some((pieces, left)) => tokio::select! {
                    () = pieces.closed() => {}
                    () = left.cancelled() => {}
                },
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            biased;
            ended = tokio::time::timeout(timeout + GRACE, &mut outcome) => {
                if ended.is_err() {
                    self.calls.hang();
                }
                ended
            }
            () = is_left => {
                let _ = self.send(&Order::Cancel { call: id }, Bytes::new());
                tokio::time::timeout(FAREWELL, outcome).await
            }
        };
        let outcome = match ended {
            Ok(outcome) => {
                unfinished.call = None;
                outcome
                    .unwrap_or_else(|_| Outcome::failed(CallFailure::Trapped(self.calls.reason())))
            }
            Err(_) => self.abandon(id),
        };
        if let (Err(_), Some((pieces, _))) = (&outcome.result, taker) {
            let _ = pieces.send(Err(BrokenOff));
        }
        Ok(outcome)
    }

    /// A call that its worker said nothing about: it hangs, or the caller left.
    fn abandon(&self, call: CallId) -> Outcome {
        match self.calls.end(call) {
            Some(Wanted::Answer(answering)) => answering.abandon(),
            _ => Outcome::failed(CallFailure::TimedOut),
        }
    }
}

/// Tells the worker that nobody waits for a call any more.
struct Unfinished<'a> {
    worker: &'a Worker,
    call: Option<CallId>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            self.worker.calls.end(call);
            let _ = self.worker.send(&Order::Cancel { call }, Bytes::new());
        }
    }
}
