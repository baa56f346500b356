//! One call: an instance runs it, its answer is read, and how it ended is told.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::I32Exit;

use super::answer::{NoAnswer, Pieces, receive};
use super::instance::{Context, Instance};
use super::limits::{Counters, CpuTimed};
use super::output::exception_line;
use super::programs::Code;
use crate::port::platform::{Answer, Call, CallFailure, Outcome};

/// How the guest's own run ended.
type End = wasmtime::Result<()>;

/// How long the answer of a guest that has ended may take to be read. One that is not complete by then was left open, or the guest failed.
const REST: Duration = Duration::from_millis(20);

/// Runs one call to its end, or until `cancelled` ends, in the instance that was kept for it or in a fresh one. Nothing of it runs when this
/// answers. An instance that ended well is part of the answer: to be kept, or dropped when nobody waits for that any more.
pub(super) async fn run(
    code: &Code,
    context: Context,
    call: Call,
    kept: Option<Instance>,
    in_pieces: bool,
    cancelled: oneshot::Receiver<()>,
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
    let (output, counters) = (instance.output.clone(), instance.counters.clone());
    let deadline = instance.deadline();
    let pieces = in_pieces.then(|| Pieces {
        server: context.server.clone(),
        call: context.call,
    });
    let (sender, receiver) = oneshot::channel();
    let (answered, is_answered) = oneshot::channel();
    let has_failed = AtomicBool::new(false);
    let reading = async {
        let mut answer = receive(receiver, max_body, pieces).await;
        // A body whose writer is lost looks like one that is complete.
        if has_failed.load(Ordering::Relaxed) && answer.is_ok() {
            answer = Err(NoAnswer::Incomplete);
        }
        let _ = answered.send(answer.is_ok());
        answer
    };
    let mut stays = None;
    let guest = async {
        let end = instance.handle(code, call, sender, begun).await;
        let is_complete = matches!(tokio::time::timeout(REST, is_answered).await, Ok(Ok(true)));
        if end.is_ok() && is_complete {
            stays = Some(instance);
        } else {
            has_failed.store(end.is_err(), Ordering::Relaxed);
            // Ends the channels of an answer that was never completed, so that nobody waits for it.
            drop(instance);
        }
        end
    };
    let (mut answer, mut end) = (None, None);
    let both = drive(guest, reading, &mut answer, &mut end);
    let both = CpuTimed::new(both, counters.clone());
    let (timed_out, is_left) = tokio::select! {
        biased;
        in_time = tokio::time::timeout_at(deadline.into(), both) => (in_time.is_err(), false),
        _ = cancelled => (false, true),
    };
    if timed_out && matches!(answer, Some(Ok(_))) {
        output.note(&format!(
            "The function had answered but went on running; it was stopped after {} s.",
            timeout.as_secs_f32()
        ));
    }
    let (lines, lines_truncated) = output.take();
    let result = match conclude(answer, end, &counters, exception_line(&lines)) {
        Err(_) if is_left => Err(CallFailure::CallerLeft { ran: true }),
        result => result,
    };
    let outcome = Outcome {
        result,
        lines,
        lines_truncated,
        usage: counters.usage(begun.elapsed()),
    };
    (outcome, stays)
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
    counters: &Counters,
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
    if counters.is_memory_denied() {
        return Err(CallFailure::OutOfMemory);
    }
    if let Some(exception) = exception {
        return Err(CallFailure::Trapped(exception.to_owned()));
    }
    Err(CallFailure::Trapped(match (trap, no_answer) {
        (Some(error), _) => describe(&error),
        (None, Some(NoAnswer::Announced(status))) => return Err(CallFailure::announced(status)),
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
            body: bytes::Bytes::new(),
        }
    }

    async fn end_of(
        guest: impl Future<Output = End>,
        received: Result<Answer, NoAnswer>,
    ) -> Result<Answer, CallFailure> {
        let (mut answer, mut end) = (None, None);
        let both = drive(guest, std::future::ready(received), &mut answer, &mut end);
        let _ = tokio::time::timeout(Duration::from_millis(20), both).await;
        conclude(answer, end, &Counters::default(), None)
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
        let announced = NoAnswer::Announced(http::StatusCode::CONTINUE);
        let text = reason(end_of(async { Ok(()) }, Err(announced)).await);
        assert!(
            text.starts_with("The function answered with 100,"),
            "{text}"
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
