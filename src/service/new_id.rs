//! New ids.

use rand::Rng as _;
use uuid::Uuid;

use crate::model::id::{DeploymentId, ExecutionId, FunctionId, TaskId, WorkspaceId};
use crate::model::time::Timestamp;

const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn random_text(length: usize) -> String {
    let mut random = rand::rng();
    (0..length)
        .map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]))
        .collect()
}

fn uuid() -> String {
    Uuid::now_v7().to_string()
}

pub fn workspace_id() -> WorkspaceId {
    WorkspaceId::parse(format!("ws-{}", random_text(8))).expect("letters and digits are an id")
}

pub fn function_id() -> FunctionId {
    FunctionId::parse(format!("fn-{}", random_text(8))).expect("letters and digits are an id")
}

pub fn task_id() -> TaskId {
    TaskId::parse(uuid()).expect("a UUID is an id")
}

pub fn deployment_id() -> DeploymentId {
    DeploymentId::parse(uuid()).expect("a UUID is an id")
}

fn execution_id() -> ExecutionId {
    ExecutionId::parse(uuid()).expect("a UUID is an id")
}

/// A new execution's id and its time, which the id holds to the millisecond: an execution is found by its id alone.
pub fn execution() -> (ExecutionId, Timestamp) {
    let id = execution_id();
    let at = execution_time(&id).unwrap_or_else(Timestamp::now);
    (id, at)
}

/// The time in an execution's id, when it is one of ours.
pub fn execution_time(id: &ExecutionId) -> Option<Timestamp> {
    let (seconds, nanos) = Uuid::parse_str(id.as_str())
        .ok()?
        .get_timestamp()?
        .to_unix();
    Some(Timestamp::from_micros(
        i64::try_from(seconds).ok()? * 1_000_000 + i64::from(nanos / 1_000_000) * 1_000,
    ))
}
