//! One call to DynamoDB, tried again where that is safe, within a bounded time.
//!
//! The SDK's own retries are off: it cannot know that an addition whose answer was lost must not be sent again. What DynamoDB refused before it
//! did anything (throttling, another transaction) is always tried again; what may have been done is only tried again where doing it
//! twice is the same as doing it once. What stays undecided when the time is over is [`StoreError::Busy`].

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use std::error::Error;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

use crate::adapter::aws::describe;
use crate::port::store::StoreError;

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A call takes no longer than this, all attempts and pauses together: a request of a user waits for it.
    pub call: Duration,
    /// An attempt without an answer is given up after this: DynamoDB answers in milliseconds, so a lost answer will not come.
    pub attempt: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(3),
            attempt: Duration::from_secs(1),
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// What a failed attempt means.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Nothing was done, and the same may succeed in a moment.
    Refused,
    /// It may have been done or not.
    Unknown,
    /// No other attempt will change it.
    Final(StoreError),
}

/// Whether doing it twice is the same as doing it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    Harmless,
    /// Only what certainly was not done is sent again.
    Counts,
}

impl Patience {
    pub(super) async fn persist<T, E, F>(
        &self,
        operation: &'static str,
        repeat: Repeat,
        judge: impl Fn(&SdkError<E, HttpResponse>) -> Verdict,
        attempt: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let deadline = Instant::now() + self.call;
        let attempts = async {
            let mut pause = FIRST_PAUSE;
            loop {
                let error = match attempt().await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
                match judge(&error) {
                    Verdict::Final(error) => return Err(error),
                    Verdict::Unknown if repeat == Repeat::Counts => {
                        tracing::warn!(operation, error = %describe("DynamoDB", &error), "DynamoDB's answer was lost");
                        return Err(StoreError::Busy);
                    }
                    Verdict::Refused | Verdict::Unknown => {}
                }
                if Instant::now() + pause > deadline {
                    tracing::warn!(operation, error = %describe("DynamoDB", &error), "DynamoDB stays busy");
                    return Err(StoreError::Busy);
                }
                // Callers that were refused together must not come back together.
                sleep(rand::random_range(pause / 4..=pause)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        timeout_at(deadline, attempts).await.unwrap_or_else(|_| {
            tracing::warn!(operation, "DynamoDB does not answer in time");
            Err(StoreError::Busy)
        })
    }
}

/// What every operation's errors have in common.
pub(super) fn judge<E>(error: &SdkError<E, HttpResponse>) -> Verdict
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let fails = || Verdict::Final(StoreError::Failed(describe("DynamoDB", error)));
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Verdict::Unknown,
        // Without a connection or its answer; anything else is a mistake of ours or missing credentials.
        SdkError::DispatchFailure(failure)
            if failure.is_io() || failure.is_timeout() || failure.as_other().is_some() =>
        {
            Verdict::Unknown
        }
        SdkError::ServiceError(refusal) => match error.code().unwrap_or_default() {
            "ConditionalCheckFailedException" => {
                Verdict::Final(StoreError::ConditionFailed { index: 0 })
            }
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "Throttling"
            | "RequestLimitExceeded"
            | "TransactionConflictException"
            | "ReplicatedWriteConflictException"
            // Our own attempt before this one is still at it; the token keeps the two apart from others.
            | "TransactionInProgressException" => Verdict::Refused,
            code if refusal.raw().status().as_u16() >= 500 || code == "InternalServerError" => {
                Verdict::Unknown
            }
            _ => fails(),
        },
        _ => fails(),
    }
}

/// A cancelled transaction says why, write by write.
pub(super) fn judge_transaction(
    error: &SdkError<TransactWriteItemsError, HttpResponse>,
) -> Verdict {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return judge(error);
    };
    let reasons = cancelled.cancellation_reasons();
    let is = |index: usize, names: &[&str]| {
        let code = reasons[index].code().unwrap_or_default();
        names.contains(&code)
    };
    let of = |names: &[&str]| (0..reasons.len()).find(|index| is(*index, names));
    if let Some(index) = of(&["ConditionalCheckFailed"]) {
        return Verdict::Final(StoreError::ConditionFailed { index });
    }
    // What is wrong with one write stays wrong, whatever else got in the way of the others.
    if let Some(index) = of(&["ValidationError", "ItemCollectionSizeLimitExceeded"]) {
        return Verdict::Final(StoreError::Failed(format!(
            "write {index} of a transaction: {}",
            reasons[index].message().unwrap_or("it is not valid")
        )));
    }
    let passing = [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    if of(&passing).is_some() {
        return Verdict::Refused;
    }
    Verdict::Final(StoreError::Failed(describe("DynamoDB", error)))
}
