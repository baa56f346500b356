//! One worker as the server sees it: what it has loaded and the calls it has under way.

use bytes::{Bytes, BytesMut};
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};

use super::super::protocol::{
    self, Ask, BaseId, CallId, Ended, Frame, Headers, Order, ProgramId, Reply, Report, Request,
    Source,
};
use super::super::settings::Settings;
use super::{BaseProgram, Loadable, Loaded};
use crate::port::key_values::{KeyValueError, KeyValues};
use crate::port::platform::{Answer, Call, CallFailure, Outcome};

/// How much later than a call's own timeout its worker must have answered. One that has not hangs, and is ended. With two hundred guests that
/// compute, a worker looks at its timers every two seconds.
const GRACE: Duration = Duration::from_secs(6);
/// Of a proof, which has a timeout of its own in the worker.
const PROOF: Duration = Duration::from_secs(15);

pub(super) const HUNG: &str = "its worker process hung and was ended";

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

/// Under way in a worker.
pub(super) struct Calls {
    state: Mutex<State>,
    is_open: AtomicBool,
    load: AtomicUsize,
    /// Since it began; the next one's number.
    begun: AtomicU64,
    /// A call did not end in time.
    pub hangs: Notify,
}

enum State {
    Open(HashMap<CallId, UnderWay>),
    /// Why the worker ended.
    Closed(String),
}

struct UnderWay {
    settings: Arc<Settings>,
    done: Done,
}

enum Done {
    Call(oneshot::Sender<Outcome>),
    Proof(oneshot::Sender<Result<(), String>>),
}

impl Calls {
    pub fn new() -> Self {
        Self {
            state: Mutex::new(State::Open(HashMap::new())),
            is_open: AtomicBool::new(true),
            load: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            hangs: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call in, unless the worker has ended.
    fn begin(self: &Arc<Self>, settings: &Arc<Settings>, done: Done) -> Option<(CallId, Place)> {
        let State::Open(calls) = &mut *self.state() else {
            return None;
        };
        let call = self.begun.fetch_add(1, Ordering::Relaxed);
        self.load.fetch_add(1, Ordering::Relaxed);
        let settings = settings.clone();
        calls.insert(call, UnderWay { settings, done });
        Some((call, Place(self.clone())))
    }

    fn end(&self, call: CallId) -> Option<UnderWay> {
        match &mut *self.state() {
            State::Open(calls) => calls.remove(&call),
            State::Closed(_) => None,
        }
    }

    /// The settings of a call under way.
    pub fn settings(&self, call: CallId) -> Option<Arc<Settings>> {
        match &*self.state() {
            State::Open(calls) => Some(calls.get(&call)?.settings.clone()),
            State::Closed(_) => None,
        }
    }

    /// Fails what is under way, for the first reason that is given.
    pub fn close(&self, reason: &str) {
        self.is_open.store(false, Ordering::Relaxed);
        let mut state = self.state();
        if let State::Open(calls) = &mut *state {
            // Whoever waits for one of these finds its sender gone.
            let lost = std::mem::take(calls);
            *state = State::Closed(reason.to_owned());
            drop(state);
            drop(lost);
        }
    }

    /// A call is not answered in time, whatever its worker does: that is ended.
    fn hang(&self) {
        self.close(HUNG);
        self.hangs.notify_one();
    }

    pub fn is_idle(&self) -> bool {
        self.load.load(Ordering::Relaxed) == 0
    }

    /// Calls since it began.
    pub fn count(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    fn reason(&self) -> String {
        match &*self.state() {
            State::Open(_) => "its worker process lost it".to_owned(),
            State::Closed(reason) => reason.clone(),
        }
    }
}

/// Counts a call as long as somebody waits for it.
struct Place(Arc<Calls>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.load.fetch_sub(1, Ordering::Relaxed);
    }
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
        let open = self.calls.is_open.load(Ordering::Relaxed);
        open.then(|| self.calls.load.load(Ordering::Relaxed))
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
        let (call, _place) = self.calls.begin(settings, Done::Proof(done)).ok_or(())?;
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
    ) -> Result<Outcome, Gone> {
        let (done, outcome) = oneshot::channel();
        let Some((id, _place)) = self.calls.begin(settings, Done::Call(done)) else {
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
                reuse: settings.reuse,
            },
        };
        let sent = self
            .ensure(program)
            .and_then(|()| self.send(&order, call.body));
        if let Err(error) = sent {
            return Ok(Outcome::failed(CallFailure::Unreachable(error.to_string())));
        }
        let Ok(outcome) = tokio::time::timeout(timeout + GRACE, outcome).await else {
            self.calls.hang();
            return Ok(Outcome::failed(CallFailure::TimedOut));
        };
        unfinished.call = None;
        Ok(outcome.unwrap_or_else(|_| {
            let reason = self.calls.reason();
            Outcome::failed(CallFailure::Trapped(reason))
        }))
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

/// Brings a worker's reports to those who wait for them. Does not keep the worker: it ends when nobody needs it.
pub(super) struct Reports {
    pub calls: Arc<Calls>,
    pub orders: mpsc::WeakUnboundedSender<Frame>,
    pub key_values: Arc<dyn KeyValues>,
}

impl Reports {
    /// The error is of a worker that went astray.
    pub fn take(&self, frame: BytesMut) -> io::Result<()> {
        match protocol::read(frame)? {
            (Report::Ready, _) => {}
            (Report::Proved { call, result }, _) => {
                if let Some(Done::Proof(done)) = self.calls.end(call).map(|call| call.done) {
                    let _ = done.send(result);
                }
            }
            (Report::Ended { call, outcome }, body) => {
                if let Some(Done::Call(done)) = self.calls.end(call).map(|call| call.done) {
                    let _ = done.send(arrived(outcome, body)?);
                }
            }
            (
                Report::Ask {
                    question,
                    call,
                    ask,
                },
                value,
            ) => self.answer(question, call, ask, value),
        }
        Ok(())
    }

    /// Only calls under way have a name to ask in.
    fn answer(&self, question: u64, call: CallId, ask: Ask, value: Bytes) {
        let settings = self.calls.settings(call);
        let (key_values, orders) = (self.key_values.clone(), self.orders.clone());
        tokio::spawn(async move {
            let answer = match settings {
                Some(settings) => look_up(&*key_values, &settings.owner, ask, value).await,
                None => (Reply::Failed, Bytes::new()),
            };
            let (reply, value) = answer;
            let frame = Frame::new(&Order::Value { question, reply }, value);
            if let (Some(orders), Ok(frame)) = (orders.upgrade(), frame) {
                let _ = orders.send(frame);
            }
        });
    }
}

fn arrived(ended: Ended, body: Bytes) -> io::Result<Outcome> {
    let result = ended.result.map(|head| {
        let status = http::StatusCode::from_u16(head.status).map_err(io::Error::other)?;
        Ok(Answer {
            status,
            headers: head.headers.into(),
            body,
        })
    });
    let result = match result {
        Ok(answer) => Ok(answer.map_err(|error: io::Error| error)?),
        Err(failure) => Err(failure),
    };
    Ok(Outcome {
        result,
        lines: ended.lines,
        lines_truncated: ended.lines_truncated,
        cpu: ended.cpu,
        memory: ended.memory,
        start: ended.start,
        run: ended.run,
        page_faults: ended.page_faults,
    })
}

async fn look_up(
    key_values: &dyn KeyValues,
    owner: &str,
    ask: Ask,
    value: Bytes,
) -> (Reply, Bytes) {
    let found = match ask {
        Ask::Get { key } => key_values.get(owner, &key).await.map(|value| match value {
            Some(value) => (Reply::Done, value),
            None => (Reply::Missing, Bytes::new()),
        }),
        Ask::Set { key } => done(key_values.set(owner, &key, value).await),
        Ask::Delete { key } => done(key_values.delete(owner, &key).await),
        Ask::Keys => {
            let keys = key_values.keys(owner).await;
            keys.map(|keys| (Reply::Keys(keys), Bytes::new()))
        }
    };
    found.unwrap_or_else(|error| match error {
        KeyValueError::TooLarge(text) => (Reply::TooLarge(text), Bytes::new()),
        KeyValueError::Failed => (Reply::Failed, Bytes::new()),
    })
}

fn done(result: Result<(), KeyValueError>) -> Result<(Reply, Bytes), KeyValueError> {
    result.map(|()| (Reply::Done, Bytes::new()))
}
