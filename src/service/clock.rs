//! New ids.

use rand::Rng as _;
use uuid::Uuid;

use crate::model::id::{DeploymentId, ExecutionId, FunctionId, TaskId, WorkspaceId};

const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn random_text(length: usize) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
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

pub fn execution_id() -> ExecutionId {
    ExecutionId::parse(uuid()).expect("a UUID is an id")
}
