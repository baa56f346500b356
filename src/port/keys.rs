//! The layout of the single table: every partition and sort key there is. The first four kinds are those of the first system (SPEC §5).

use super::store::Key;
use crate::model::deployment::{AppName, ImageRef, Namespace};
use crate::model::id::{DeploymentId, ExecutionId, FunctionId, TaskId, WorkspaceId};
use crate::model::time::Timestamp;

/// Sort key of the one item that describes its partition.
pub const METADATA: &str = "METADATA";
/// Sort key of the item that says in which partition a record found by id lives.
pub const OWNER: &str = "OWNER";
/// Partition that lists all workspaces.
pub const WORKSPACES: &str = "WORKSPACES";
/// Partition that lists all deployed apps.
pub const APPS: &str = "APPS";
/// Partition that lists the tasks that are not done.
pub const QUEUE: &str = "QUEUE";
/// Partition that lists the apps of the platform that no record names and that are still to be taken down.
pub const LEFT_APPS: &str = "LEFT_APPS";

pub const FUNCTION_PREFIX: &str = "FN#";
pub const TASK_PREFIX: &str = "BUILD#";
pub const EXECUTION_PREFIX: &str = "LOG#";
/// Of a function's tasks, in its own partition.
pub const FUNCTION_TASK_PREFIX: &str = "TASK#";
pub const VERSION_PREFIX: &str = "VERSION#";
pub const DEPLOYMENT_PREFIX: &str = "DEPLOYMENT#";
pub const LINES_PREFIX: &str = "LINES#";
pub const VALUE_PREFIX: &str = "VALUE#";

pub fn workspace_partition(workspace: &WorkspaceId) -> String {
    format!("WS#{workspace}")
}

pub fn function_partition(function: &FunctionId) -> String {
    format!("FN#{function}")
}

pub fn app_partition(app: &AppName) -> String {
    format!("APP#{app}")
}

pub fn task_partition(task: &TaskId) -> String {
    format!("TASK#{task}")
}

pub fn left_app(namespace: &Namespace, app: &AppName) -> Key {
    Key::new(LEFT_APPS, format!("{namespace}#{app}"))
}

pub fn workspace(workspace: &WorkspaceId) -> Key {
    Key::new(workspace_partition(workspace), METADATA)
}

pub fn workspace_entry(workspace: &WorkspaceId) -> Key {
    Key::new(WORKSPACES, workspace.as_str())
}

pub fn function(workspace: &WorkspaceId, function: &FunctionId) -> Key {
    Key::new(
        workspace_partition(workspace),
        format!("{FUNCTION_PREFIX}{function}"),
    )
}

pub fn function_owner(function: &FunctionId) -> Key {
    Key::new(function_partition(function), OWNER)
}

pub fn task(workspace: &WorkspaceId, task: &TaskId) -> Key {
    Key::new(
        workspace_partition(workspace),
        format!("{TASK_PREFIX}{task}"),
    )
}

/// The entry of a task among its function's.
pub fn function_task(function: &FunctionId, task: &TaskId) -> Key {
    Key::new(
        function_partition(function),
        format!("{FUNCTION_TASK_PREFIX}{task}"),
    )
}

pub fn task_owner(task: &TaskId) -> Key {
    Key::new(task_partition(task), OWNER)
}

/// To the millisecond, as a record keeps its time: the key made of what was read is the key it was written under.
pub fn queue_entry(created_at: Timestamp, task: &TaskId) -> Key {
    let milliseconds = created_at.micros().div_euclid(1_000);
    let at = Timestamp::from_micros(milliseconds * 1_000).sort_key();
    Key::new(QUEUE, format!("{at}#{task}"))
}

/// A chunk of output whose first line has this sequence.
pub fn task_lines(task: &TaskId, first_sequence: u64) -> Key {
    Key::new(
        task_partition(task),
        format!("{LINES_PREFIX}{first_sequence:010}"),
    )
}

pub fn version(function: &FunctionId, number: u32) -> Key {
    Key::new(
        function_partition(function),
        format!("{VERSION_PREFIX}{number:08}"),
    )
}

/// Labels and pins of a function's versions.
pub fn version_marks(function: &FunctionId) -> Key {
    Key::new(function_partition(function), "MARKS")
}

/// The newest canary of a function, running or ended.
pub fn canary(function: &FunctionId) -> Key {
    Key::new(function_partition(function), "CANARY")
}

pub fn app(app: &AppName) -> Key {
    Key::new(app_partition(app), METADATA)
}

pub fn app_entry(app: &AppName) -> Key {
    Key::new(APPS, app.as_str())
}

/// Who may roll an app out or take it down now. In a partition of its own: an app's is deleted in its turn.
pub fn turn(app: &AppName) -> Key {
    Key::new(format!("TURN#{app}"), METADATA)
}

/// `partition` is the function's, or the app's when no function is attached.
pub fn deployment(partition: &str, deployment: &DeploymentId) -> Key {
    Key::new(partition, format!("{DEPLOYMENT_PREFIX}{deployment}"))
}

pub fn deployment_owner(deployment: &DeploymentId) -> Key {
    Key::new(format!("DEPLOYMENT#{deployment}"), OWNER)
}

pub fn image(image: &ImageRef) -> Key {
    Key::new(format!("IMAGE#{image}"), METADATA)
}

/// What a build of a source gave, by the builder's cache key.
pub fn built_source(cache_key: &str) -> Key {
    Key::new(format!("SOURCE#{cache_key}"), METADATA)
}

/// `partition` is the function's, or the app's when no function is attached.
pub fn execution(partition: &str, at: Timestamp, execution: &ExecutionId) -> Key {
    Key::new(
        partition,
        format!("{EXECUTION_PREFIX}{}#{execution}", at.sort_key()),
    )
}

/// Statistics of a function or workspace (`FN#…`, `WS#…`).
pub fn statistics_partition(scope: &str) -> String {
    format!("STAT#{scope}")
}

/// `step` is one of `1M`, `5M`, `1H`; the shard spreads one hot counter over several items.
pub fn statistics(scope: &str, step: &str, start_seconds: i64, shard: u16) -> Key {
    Key::new(
        statistics_partition(scope),
        format!("{step}#{start_seconds:012}#{shard:03}"),
    )
}

/// Which functions of a workspace were called when. The shard is that of the statistics.
pub fn activity_partition(workspace: &WorkspaceId, shard: u16) -> String {
    format!("ACTIVITY#{workspace}#{shard:03}")
}

/// That a function was called in a second.
pub fn activity(workspace: &WorkspaceId, shard: u16, second: i64, function: &FunctionId) -> Key {
    Key::new(
        activity_partition(workspace, shard),
        format!("{second:012}#{function}"),
    )
}

/// What became of a request that came with a key, by the hash of whose key it was.
pub fn idempotency(hash: &str) -> Key {
    Key::new(format!("IDEMPOTENCY#{hash}"), METADATA)
}

pub fn key_value_partition(owner: &str) -> String {
    format!("KV#{owner}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_leaves_the_queue_by_the_key_it_entered_under() {
        let task = TaskId::parse("t").unwrap();
        let now = Timestamp::from_micros(1_765_000_000_123_456);
        let read = now.to_string().parse().unwrap();
        assert_ne!(now, read);
        assert_eq!(queue_entry(now, &task), queue_entry(read, &task));
    }

    #[test]
    fn no_other_item_of_a_function_is_among_its_tasks() {
        let function = FunctionId::parse("fn-1").unwrap();
        let task = TaskId::parse("t").unwrap();
        let partition = function_partition(&function);
        let listed = function_task(&function, &task);
        assert_eq!(listed, Key::new(&partition, "TASK#t"));
        let (at, id) = (Timestamp::from_micros(0), "e-1".parse().unwrap());
        for other in [
            function_owner(&function),
            version(&function, 1),
            version_marks(&function),
            canary(&function),
            deployment(&partition, &"d-1".parse().unwrap()),
            execution(&partition, at, &id),
        ] {
            assert_eq!(other.pk, partition);
            assert!(!other.sk.starts_with(FUNCTION_TASK_PREFIX), "{other:?}");
        }
    }
}
