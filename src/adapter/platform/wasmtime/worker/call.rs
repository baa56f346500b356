//! One call: a fresh instance, its limits, its answer and what it took.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::engine::{MAX_MEMORY, TICK};
use super::guest::Guest;
use super::limits::{CpuTimed, MemoryLimit, Usage};
use super::outbound::{Outbound, OutboundClient};
use super::output::{Output, exception_line};
use super::runner::Code;
use super::settings::Settings;
use super::spin::Spin;
use crate::port::key_values::KeyValues;
use crate::port::platform::{Answer, Call, CallFailure, Outcome};

/// What the server lends to a guest.
#[derive(Clone)]
pub(super) struct Services {
    pub key_values: Arc<dyn KeyValues>,
    pub client: Arc<OutboundClient>,
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

/// An instance about to run.
struct Instance {
    store: Store<Guest>,
    output: Output,
    usage: Arc<Usage>,
    deadline: Instant,
}

impl Instance {
    fn new(
        code: &Code,
        settings: &Arc<Settings>,
        services: Services,
        memory: usize,
        timeout: Duration,
    ) -> Self {
        let deadline = Instant::now() + timeout;
        let (output, usage) = (Output::default(), Arc::new(Usage::default()));
        let outbound = Outbound::new(settings.clone(), output.clone(), services.client, deadline);
        let spin = Spin {
            settings: settings.clone(),
            key_values: services.key_values,
        };
        let limit = MemoryLimit::new(memory.min(MAX_MEMORY), usage.clone());
        let mut store = Store::new(
            code.pre.engine(),
            Guest::new(settings, &output, limit, outbound, spin),
        );
        store.limiter(|guest| &mut guest.memory);
        store.set_hostcall_fuel(MAX_TRANSFER);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            // The timer ends a guest that yields; this ends one that runs where it cannot.
            if Instant::now() >= deadline + TICK * 2 {
                Err(Trap::Interrupt.into())
            } else {
                Ok(UpdateDeadline::Yield(1))
            }
        });
        Self {
            store,
            output,
            usage,
            deadline,
        }
    }
}

/// Bytes a guest may hand to one host function: a key-value entry or a chunk of a body, with room.
const MAX_TRANSFER: usize = 16 * 1024 * 1024;

/// Instantiates without calling anything: proof that a call can begin.
pub(super) async fn prove(
    code: &Code,
    settings: &Arc<Settings>,
    services: Services,
    memory: usize,
) -> Result<(), String> {
    const TIMEOUT: Duration = Duration::from_secs(10);
    let Instance {
        mut store, usage, ..
    } = Instance::new(code, settings, services, memory, TIMEOUT);
    match tokio::time::timeout(TIMEOUT, instantiate(code, &mut store)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) if usage.is_memory_denied() => Err(format!(
            "It needs more than {} MB to start. Raise the function's memory.",
            memory / 1024 / 1024
        )),
        Ok(Err(error)) => Err(error.root_cause().to_string()),
        Err(_) => Err(format!("It did not start within {} s.", TIMEOUT.as_secs())),
    }
}

/// Runs one call to its end. The guest is gone when this answers, or when the future is dropped.
pub(super) async fn run(
    code: &Code,
    settings: &Arc<Settings>,
    services: Services,
    call: Call,
) -> Outcome {
    let begun = Instant::now();
    let (max_body, timeout) = (call.max_body, call.timeout);
    let Instance {
        mut store,
        output,
        usage,
        deadline,
    } = Instance::new(code, settings, services, call.memory, timeout);
    let (sender, receiver) = oneshot::channel();
    let guest = async {
        let end = enter(code, &mut store, call, sender, &usage, begun).await;
        // Ends the channels of an answer that was never completed, so that nobody waits for it.
        drop(store);
        end
    };
    let (mut answer, mut end) = (None, None);
    let both = drive(guest, receive(receiver, max_body), &mut answer, &mut end);
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
    Outcome {
        result,
        lines,
        lines_truncated,
        cpu: Some(usage.cpu()),
        memory: Some(usage.memory()),
        start: usage.start(),
    }
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
    store: &mut Store<Guest>,
    call: Call,
    sender: oneshot::Sender<Response>,
    usage: &Usage,
    begun: Instant,
) -> End {
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
    let proxy = instantiate(code, store).await?;
    usage.set_start(begun.elapsed());
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
