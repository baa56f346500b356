//! One call: a fresh instance, its limits, its answer and what it took.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::super::protocol::CallId;
use super::engine::{MAX_MEMORY, TICK};
use super::guest::Guest;
use super::limits::{CpuTimed, MemoryLimit, Usage};
use super::outbound::Outbound;
use super::output::{Output, exception_line};
use super::programs::Code;
use super::server::Server;
use super::settings::Settings;
use super::spin::Spin;
use crate::port::platform::{Answer, Call, CallFailure, Outcome};

/// In whose name a guest runs, and what it runs with.
#[derive(Clone)]
pub(super) struct Context {
    pub call: CallId,
    pub settings: Arc<Settings>,
    pub server: Arc<Server>,
}

type Response = Result<http::Response<HyperOutgoingBody>, ErrorCode>;

/// How the guest's own run ended.
type End = wasmtime::Result<()>;

/// Why there is no complete answer.
#[derive(Debug)]
enum NoAnswer {
    /// The guest ended, or was ended, before it answered or before its answer was complete.
    Incomplete,
    TooLarge,
    /// The guest answered with an error instead of a response.
    Refused(ErrorCode),
}

/// An instance about to run, or kept for the next call.
pub(super) struct Instance {
    store: Store<Guest>,
    /// Once it was instantiated.
    proxy: Option<Proxy>,
    output: Output,
    usage: Arc<Usage>,
    deadline: Deadline,
    settings: Arc<Settings>,
    /// Bytes it may use.
    memory: usize,
    pub calls: u32,
    pub born: Instant,
}

/// When the call under way has to end.
#[derive(Clone)]
struct Deadline(Arc<Mutex<Instant>>);

impl Deadline {
    fn get(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, deadline: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }
}

impl Instance {
    fn new(code: &Code, context: &Context, memory: usize, timeout: Duration) -> Self {
        let born = Instant::now();
        let deadline = Deadline(Arc::new(Mutex::new(born + timeout)));
        let (output, usage) = (Output::default(), Arc::new(Usage::default()));
        let limit = MemoryLimit::new(memory.min(MAX_MEMORY), usage.clone());
        let (outbound, spin) = context.rights(&output, born + timeout);
        let mut store = Store::new(
            code.pre.engine(),
            Guest::new(&context.settings, &output, limit, outbound, spin),
        );
        store.limiter(|guest| &mut guest.memory);
        store.set_hostcall_fuel(MAX_TRANSFER);
        store.set_epoch_deadline(1);
        let ends = deadline.clone();
        store.epoch_deadline_callback(move |_| {
            // The timer ends a guest that yields; this ends one that runs where it cannot.
            if Instant::now() >= ends.get() + TICK * 2 {
                Err(Trap::Interrupt.into())
            } else {
                Ok(UpdateDeadline::Yield(1))
            }
        });
        Self {
            store,
            proxy: None,
            output,
            usage,
            deadline,
            settings: context.settings.clone(),
            memory,
            calls: 0,
            born,
        }
    }

    /// Whether a call with these settings may have it.
    pub fn suits(&self, settings: &Settings, memory: usize) -> bool {
        self.memory == memory && self.settings.environment == settings.environment
    }

    /// Whether it can serve another call.
    pub fn is_reusable(&mut self) -> bool {
        self.store.data_mut().has_room()
    }

    /// Gives the instance to another call: what it reaches and prints from now on is that call's.
    fn renew(&mut self, context: &Context, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        self.deadline.set(deadline);
        self.usage.renew();
        let (outbound, spin) = context.rights(&self.output, deadline);
        self.store.data_mut().renew(outbound, spin);
        self.store.set_epoch_deadline(1);
    }
}

impl Context {
    fn rights(&self, output: &Output, deadline: Instant) -> (Outbound, Spin) {
        let outbound = Outbound::new(self.server.clone(), self.call, output.clone(), deadline);
        let spin = Spin {
            settings: self.settings.clone(),
            server: self.server.clone(),
            call: self.call,
        };
        (outbound, spin)
    }
}

/// How long the answer of a guest that has ended may take to be read before it counts as incomplete.
const REST: Duration = Duration::from_millis(100);
/// Bytes a guest may hand to one host function: a key-value entry or a chunk of a body, with room.
const MAX_TRANSFER: usize = 16 * 1024 * 1024;

/// Instantiates without calling anything: proof that a call can begin.
pub(super) async fn prove(code: &Code, context: Context, memory: usize) -> Result<(), String> {
    const TIMEOUT: Duration = Duration::from_secs(10);
    let mut instance = Instance::new(code, &context, memory, TIMEOUT);
    let instantiated = instantiate(code, &mut instance.store);
    match tokio::time::timeout(TIMEOUT, instantiated).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) if instance.usage.is_memory_denied() => Err(format!(
            "It needs more than {} MB to start. Raise the function's memory.",
            memory / 1024 / 1024
        )),
        Ok(Err(error)) => Err(error.root_cause().to_string()),
        Err(_) => Err(format!("It did not start within {} s.", TIMEOUT.as_secs())),
    }
}

/// Runs one call to its end, in the instance that was kept for it or in a fresh one. Nothing of it runs when this answers, or when the
/// future is dropped. An instance that ended well is part of the answer: to be kept, or dropped when nobody waits for that any more.
pub(super) async fn run(
    code: &Code,
    context: Context,
    call: Call,
    kept: Option<Instance>,
) -> (Outcome, Option<Instance>) {
    let begun = Instant::now();
    let (max_body, timeout) = (call.max_body, call.timeout);
    let mut instance = match kept {
        Some(mut kept) => {
            kept.renew(&context, timeout);
            kept
        }
        None => Instance::new(code, &context, call.memory, timeout),
    };
    let (output, usage) = (instance.output.clone(), instance.usage.clone());
    let deadline = instance.deadline.get();
    let (sender, receiver) = oneshot::channel();
    let (answered, is_answered) = oneshot::channel();
    let reading = async {
        let answer = receive(receiver, max_body).await;
        let _ = answered.send(answer.is_ok());
        answer
    };
    let mut stays = None;
    let guest = async {
        let end = enter(code, &mut instance, call, sender, begun).await;
        if end.is_ok()
            && let Ok(Ok(true)) = tokio::time::timeout(REST, is_answered).await
        {
            stays = Some(instance);
        } else {
            // Ends the channels of an answer that was never completed, so that nobody waits for it.
            drop(instance);
        }
        end
    };
    let (mut answer, mut end) = (None, None);
    let both = drive(guest, reading, &mut answer, &mut end);
    let timed_out = tokio::time::timeout_at(deadline.into(), CpuTimed::new(both, usage.clone()))
        .await
        .is_err();
    if timed_out && matches!(answer, Some(Ok(_))) {
        output.note(&format!(
            "The function had answered but went on running; it was stopped after {} s.",
            timeout.as_secs_f32()
        ));
    }
    let (lines, lines_truncated) = output.take();
    let result = conclude(answer, end, &usage, exception_line(&lines));
    let outcome = Outcome {
        result,
        lines,
        lines_truncated,
        cpu: Some(usage.cpu()),
        memory: Some(usage.memory()),
        start: usage.start(),
        run: usage
            .start()
            .map(|start| begun.elapsed().saturating_sub(start)),
        page_faults: Some(usage.page_faults()),
    };
    (outcome, stays)
}

async fn instantiate(code: &Code, store: &mut Store<Guest>) -> wasmtime::Result<Proxy> {
    let Some(restorer) = &code.restorer else {
        return code.pre.instantiate_async(store).await;
    };
    let instance = code
        .pre
        .instance_pre()
        .instantiate_async(&mut *store)
        .await?;
    restorer.restore(store, &instance).await?;
    Proxy::new(store, &instance)
}

async fn enter(
    code: &Code,
    instance: &mut Instance,
    call: Call,
    sender: oneshot::Sender<Response>,
    begun: Instant,
) -> End {
    instance.calls += 1;
    let store = &mut instance.store;
    let scheme = if call.uri.scheme() == Some(&http::uri::Scheme::HTTPS) {
        Scheme::Https
    } else {
        Scheme::Http
    };
    let body = Full::new(call.body).map_err(|never: Infallible| match never {});
    let mut request = http::Request::new(body.map_err(|never: wasmtime_wasi_http::Error| never));
    (
        *request.method_mut(),
        *request.uri_mut(),
        *request.headers_mut(),
    ) = (call.method, call.uri, call.headers);
    let request = store
        .data_mut()
        .http()
        .new_incoming_request(scheme, request)?;
    let response = store.data_mut().http().new_response_outparam(sender)?;
    let proxy = match &mut instance.proxy {
        Some(proxy) => proxy,
        fresh => fresh.insert(instantiate(code, store).await?),
    };
    instance.usage.set_start(begun.elapsed());
    proxy
        .wasi_http_incoming_handler()
        .call_handle(&mut *store, request, response)
        .await
}

async fn receive(
    receiver: oneshot::Receiver<Response>,
    max_body: usize,
) -> Result<Answer, NoAnswer> {
    let (parts, body) = receiver
        .await
        .map_err(|_| NoAnswer::Incomplete)?
        .map_err(NoAnswer::Refused)?
        .into_parts();
    let body: Bytes = match Limited::new(body, max_body).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(NoAnswer::TooLarge),
        Err(_) => return Err(NoAnswer::Incomplete),
    };
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}

/// Runs the guest and reads its answer side by side, until both have ended or the answer is refused.
/// Results are left where a timeout does not take them away.
async fn drive(
    guest: impl Future<Output = End>,
    receive: impl Future<Output = Result<Answer, NoAnswer>>,
    answer: &mut Option<Result<Answer, NoAnswer>>,
    end: &mut Option<End>,
) {
    let (mut guest, mut receive) = (pin!(guest), pin!(receive));
    while answer.is_none() || end.is_none() {
        tokio::select! {
            biased;
            ended = &mut guest, if end.is_none() => *end = Some(ended),
            answered = &mut receive, if answer.is_none() => {
                let refused = matches!(answered, Err(NoAnswer::TooLarge));
                *answer = Some(answered);
                if refused {
                    return;
                }
            }
        }
    }
}

/// A complete answer counts, whatever became of the guest after it.
fn conclude(
    answer: Option<Result<Answer, NoAnswer>>,
    end: Option<End>,
    usage: &Usage,
    exception: Option<&str>,
) -> Result<Answer, CallFailure> {
    let no_answer = match answer {
        Some(Ok(answer)) => return Ok(answer),
        Some(Err(NoAnswer::TooLarge)) => return Err(CallFailure::ResponseTooLarge),
        Some(Err(other)) => Some(other),
        None => None,
    };
    let Some(end) = end else {
        return Err(CallFailure::TimedOut);
    };
    let trap = end.err();
    if trap
        .as_ref()
        .is_some_and(|error| error.downcast_ref() == Some(&Trap::Interrupt))
    {
        return Err(CallFailure::TimedOut);
    }
    if trap
        .as_ref()
        .is_some_and(wasmtime::Error::is::<PoolConcurrencyLimitError>)
    {
        return Err(CallFailure::Overloaded);
    }
    if usage.is_memory_denied() {
        return Err(CallFailure::OutOfMemory);
    }
    if let Some(exception) = exception {
        return Err(CallFailure::Trapped(exception.to_owned()));
    }
    Err(CallFailure::Trapped(match (trap, no_answer) {
        (Some(error), _) => describe(&error),
        (None, Some(NoAnswer::Refused(code))) => {
            format!("The function answered with an error instead of a response: {code:?}")
        }
        (None, _) => {
            "The function ended without a complete answer. Return a Response on every path."
                .to_owned()
        }
    }))
}

fn describe(error: &wasmtime::Error) -> String {
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return format!(
            "The function ended its process with exit code {}. Return a Response instead.",
            exit.0
        );
    }
    if error.downcast_ref() == Some(&Trap::StackOverflow) {
        return "The function's calls are nested too deeply. Bound its recursion.".to_owned();
    }
    error.root_cause().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Answer {
        Answer {
            status: http::StatusCode::OK,
            headers: http::HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    async fn end_of(
        guest: impl Future<Output = End>,
        received: Result<Answer, NoAnswer>,
    ) -> Result<Answer, CallFailure> {
        let (mut answer, mut end) = (None, None);
        let both = drive(guest, std::future::ready(received), &mut answer, &mut end);
        let _ = tokio::time::timeout(Duration::from_millis(20), both).await;
        conclude(answer, end, &Usage::default(), None)
    }

    #[tokio::test]
    async fn a_complete_answer_counts_whatever_becomes_of_the_guest() {
        assert!(end_of(std::future::pending(), Ok(complete())).await.is_ok());
        assert!(
            end_of(
                async { Err(Trap::UnreachableCodeReached.into()) },
                Ok(complete())
            )
            .await
            .is_ok()
        );
    }

    #[tokio::test]
    async fn too_long_an_answer_ends_the_guest_at_once() {
        assert_eq!(
            end_of(std::future::pending(), Err(NoAnswer::TooLarge))
                .await
                .err(),
            Some(CallFailure::ResponseTooLarge)
        );
    }

    #[tokio::test]
    async fn a_guest_that_ends_without_an_answer_is_told_why() {
        let reason = |failure| match failure {
            Err(CallFailure::Trapped(text)) => text,
            other => panic!("{other:?}"),
        };
        let text = reason(end_of(async { Ok(()) }, Err(NoAnswer::Incomplete)).await);
        assert_eq!(
            text,
            "The function ended without a complete answer. Return a Response on every path."
        );
        let text =
            reason(end_of(async { Err(I32Exit(3).into()) }, Err(NoAnswer::Incomplete)).await);
        assert_eq!(
            text,
            "The function ended its process with exit code 3. Return a Response instead."
        );
        let text = reason(
            end_of(
                async { Err(Trap::StackOverflow.into()) },
                Err(NoAnswer::Incomplete),
            )
            .await,
        );
        assert_eq!(
            text,
            "The function's calls are nested too deeply. Bound its recursion."
        );
    }
}
