//! Which executions are written in one transaction.

use serde_json::Value;
use std::collections::BTreeSet;
use tokio::sync::oneshot;

use crate::model::error::Result;
use crate::model::execution::Execution;
use crate::port::store::MAX_TRANSACTION;
use crate::service::statistics::{STEPS, step_of};

/// Bytes of a group's executions at most, about: DynamoDB takes 4 MB a transaction.
const GROUP_BYTES: usize = 3 << 20;
/// Counters are kept for the function and for its workspace.
const SCOPES: usize = 2;

/// An execution to be written, and who waits for that.
pub(super) type Pending = (Box<Execution>, Option<oneshot::Sender<Result<()>>>);

/// How many of these fit in one transaction, one in any case: each with the entry of its second, its counters, and the check of the function.
pub(super) fn together(pending: &[Pending]) -> usize {
    let (mut bytes, mut writes) = (0, 1);
    let (mut seconds, mut steps) = (BTreeSet::new(), BTreeSet::new());
    let fitting = pending.iter().take_while(|(execution, _)| {
        bytes += weight(execution);
        let second = execution.timestamp.seconds();
        let new = STEPS.map(|(name, length)| steps.insert((name, step_of(second, length))));
        writes += 1 + usize::from(seconds.insert(second));
        writes += SCOPES * new.into_iter().filter(|is_new| *is_new).count();
        bytes <= GROUP_BYTES && writes <= MAX_TRANSACTION
    });
    fitting.count().max(1)
}

/// Bytes of what can be long in an execution.
fn weight(execution: &Execution) -> usize {
    let bodies = [&execution.request_body, &execution.response_body];
    let headers = [&execution.request_headers, &execution.response_headers];
    let headers = headers.into_iter().flatten();
    bodies
        .into_iter()
        .flatten()
        .map(size_of_value)
        .sum::<usize>()
        + execution.logs.iter().map(String::len).sum::<usize>()
        + headers
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>()
        + execution.path.len()
        + execution.query.len()
        + 1_024
}

pub(super) fn size_of_value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 16,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size_of_value).sum::<usize>() + 8 * values.len(),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| name.len() + size_of_value(value))
            .sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use serde_json::json;

    fn pending(body: usize, second: i64) -> Pending {
        let execution = json!({
            "id": "e", "functionId": "f", "timestamp": Timestamp::from_seconds(1_765_076_400 + second), "status": "success", "duration": 1.0,
            "statusCode": 200, "responseBody": "x".repeat(body), "logs": [], "level": "info", "trigger": "http", "method": "GET",
            "path": "/", "requestSize": 0, "responseSize": body,
        });
        (serde_json::from_value(execution).unwrap(), None)
    }

    #[test]
    fn what_goes_together_fits_in_a_transaction() {
        let of = |count: usize, body: usize| {
            together(&(0..count).map(|_| pending(body, 0)).collect::<Vec<_>>())
        };
        // Beside them: the check, an entry, and three counters of the function and of the workspace each.
        assert_eq!(of(100, 10), 100 - 1 - 1 - 6);
        assert_eq!(of(100, 126 * 1_024), 24);
        assert_eq!(of(3, GROUP_BYTES), 1);
        let of_seconds = |length: i64| {
            let at = |number| pending(10, number * length);
            together(&(0..100).map(at).collect::<Vec<_>>())
        };
        assert_eq!(of_seconds(1), (100 - 1 - 6) / 2);
        // Each in a minute of its own, in five minutes with four others: 21 are 1 + 21 + 21 + 2 × (21 + 5 + 1) = 97 writes.
        assert_eq!(of_seconds(60), 21);
    }
}
