//! What each figure means, for whoever reads them.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

/// Describes all, and shows those that begin at zero before anything happens: a rule can then tell zero from missing.
pub(super) fn all() {
    describe_gauge!("blue_faas_build_info", "The version that runs.");
    gauge!("blue_faas_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    http();
    calls();
    builds();
    dependencies();
}

fn http() {
    describe_histogram!(
        "blue_faas_http_request_duration_seconds",
        Unit::Seconds,
        "Until an answer's head, by listener, route, method and class of status."
    );
    describe_gauge!(
        "blue_faas_http_requests_in_progress",
        "Requests whose answer has not begun."
    );
    describe_gauge!("blue_faas_http_connections", "Open connections.");
}

fn calls() {
    describe_histogram!(
        "blue_faas_function_call_duration_seconds",
        Unit::Seconds,
        "Calls of functions with the time they waited for a place, by what triggered them and what became of them."
    );
    describe_gauge!(
        "blue_faas_function_calls_in_progress",
        "Calls that have a place."
    );
    describe_gauge!(
        "blue_faas_function_calls_waiting",
        "Calls that wait for a place."
    );
    gauge!("blue_faas_function_calls_in_progress").set(0.0);
    gauge!("blue_faas_function_calls_waiting").set(0.0);
    describe_counter!(
        "blue_faas_worker_restarts_total",
        "Worker processes that were replaced, by why: due after many calls, ended by themselves, or failed to start."
    );
    for reason in ["due", "ended", "failed"] {
        counter!("blue_faas_worker_restarts_total", "reason" => reason).absolute(0);
    }
}

fn builds() {
    describe_histogram!(
        "blue_faas_build_duration_seconds",
        Unit::Seconds,
        "Tasks from when they were begun to their end, by how they ended."
    );
    describe_gauge!(
        "blue_faas_builds_in_progress",
        "Tasks that this server works on."
    );
    describe_gauge!(
        "blue_faas_builds_waiting",
        "Tasks that nobody works on, when this server last looked."
    );
    gauge!("blue_faas_builds_in_progress").set(0.0);
    gauge!("blue_faas_builds_waiting").set(0.0);
}

fn dependencies() {
    describe_histogram!(
        "blue_faas_store_operation_duration_seconds",
        Unit::Seconds,
        "What was asked of the store of records, by operation and result."
    );
    describe_histogram!(
        "blue_faas_blob_operation_duration_seconds",
        Unit::Seconds,
        "What was asked of the store of objects, by operation and result."
    );
    describe_histogram!(
        "blue_faas_upstream_request_duration_seconds",
        Unit::Seconds,
        "What was asked of services by HTTP, by service and result."
    );
    describe_gauge!(
        "blue_faas_upstream_breaker_open",
        "1 while a service is left alone because it failed several times in a row."
    );
}
