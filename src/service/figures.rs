//! What is measured of the product's work, for the server's metrics. No label names what a user made: there would be too many values.

use metrics::Gauge;
use std::time::Duration;

use crate::model::execution::Trigger;
use crate::port::platform::{CallFailure, Outcome};

/// Counts in a gauge for as long as it lives.
pub struct Held(Gauge);

impl Held {
    pub fn one_of(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

pub(super) fn call_waiting() -> Held {
    Held::one_of(metrics::gauge!("blue_faas_function_calls_waiting"))
}

pub(super) fn call_in_progress() -> Held {
    Held::one_of(metrics::gauge!("blue_faas_function_calls_in_progress"))
}

/// A call that ended, with the time it waited.
pub(super) fn called(trigger: Trigger, outcome: &Outcome, duration: Duration) {
    metrics::histogram!("blue_faas_function_call_duration_seconds", "trigger" => trigger.as_str(), "result" => result_of(outcome))
        .record(duration);
}

fn result_of(outcome: &Outcome) -> &'static str {
    match &outcome.result {
        Ok(answer) if answer.status.is_server_error() => "error",
        Ok(_) => "success",
        Err(CallFailure::NotDeployed) => "not_deployed",
        Err(CallFailure::TimedOut) => "timed_out",
        Err(CallFailure::OutOfMemory) => "out_of_memory",
        Err(CallFailure::ResponseTooLarge) => "response_too_large",
        Err(CallFailure::Trapped(_)) => "trapped",
        Err(CallFailure::Overloaded) => "overloaded",
        Err(CallFailure::Unreachable(_)) => "unreachable",
        Err(CallFailure::CallerLeft { .. }) => "caller_left",
    }
}

pub(super) fn build_in_progress() -> Held {
    Held::one_of(metrics::gauge!("blue_faas_builds_in_progress"))
}

/// Tasks that nobody works on.
pub(super) fn builds_waiting(count: usize) {
    metrics::gauge!("blue_faas_builds_waiting").set(count as f64);
}

/// A task that came to its end here.
pub(super) fn built(result: &'static str, duration: Duration) {
    metrics::histogram!("blue_faas_build_duration_seconds", "result" => result).record(duration);
}
