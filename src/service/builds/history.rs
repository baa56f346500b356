//! A function's tasks. Their records lie in the partition of the workspace; that of the function has an entry for each, so that they are
//! found however many others the workspace has.

use futures::stream::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

use super::record::TaskRecord;
use super::submit::alive;
use super::{BY_AGE, Builds};
use crate::model::error::Result;
use crate::model::id::{FunctionId, TaskId, WorkspaceId};
use crate::model::task::TaskView;
use crate::port::keys;
use crate::port::store::{Key, MAX_TRANSACTION, Query, Write};
use crate::service::actor::Actor;
use crate::service::paging::{Newest, Page, PageQuery};
use crate::service::table::{Table, from_item, to_item};

/// Records read at the same time.
const READERS: usize = 8;

#[derive(Serialize, Deserialize)]
struct Entry {
    task_id: TaskId,
}

fn key(task: &TaskRecord) -> Option<Key> {
    let function = task.function_id.as_ref()?;
    Some(keys::function_task(function, &task.task_id))
}

fn put(function: &FunctionId, task: &TaskId) -> Result<Write> {
    let entry = Entry {
        task_id: task.clone(),
    };
    Ok(Write::put(
        keys::function_task(function, task),
        to_item(&entry)?,
    ))
}

/// What makes a task's entry. It belongs into the transaction that makes the task.
pub(super) fn listing(task: &TaskRecord) -> Result<Option<Write>> {
    let function = task.function_id.as_ref();
    function.map(|id| put(id, &task.task_id)).transpose()
}

/// What deletes a task's entry. It belongs into the transaction that deletes the task.
pub(in crate::service) fn unlisting(task: &TaskRecord) -> Option<Write> {
    key(task).map(Write::delete)
}

/// Makes the entry of a task that has none, and answers whether it did.
pub(in crate::service) async fn list_if_missing(table: &Table, task: &TaskRecord) -> Result<bool> {
    let (Some(function), Some(key)) = (&task.function_id, key(task)) else {
        return Ok(false);
    };
    if table.get_item(&key).await?.is_some() {
        return Ok(false);
    }
    let ids = std::slice::from_ref(&task.task_id);
    make_entries(table, &task.workspace_id, function, ids).await
}

/// Nothing is made of a function that is gone or being deleted: nobody would remove it.
async fn make_entries(
    table: &Table,
    workspace: &WorkspaceId,
    function: &FunctionId,
    tasks: &[TaskId],
) -> Result<bool> {
    for some in tasks.chunks(MAX_TRANSACTION - 1) {
        let mut writes = vec![Write::Check {
            key: keys::function(workspace, function),
            condition: alive(),
        }];
        for task in some {
            writes.push(put(function, task)?);
        }
        if !table.try_transact(writes, None).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Builds {
    /// The newest 100 tasks of a function.
    pub async fn list_of_function(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
    ) -> Result<Vec<TaskView>> {
        let newest = self.functions.record(workspace, function).await?.task_id;
        let list = Newest {
            partition: keys::function_partition(function),
            prefix: keys::FUNCTION_TASK_PREFIX,
            stretches: BY_AGE,
        };
        let part = PageQuery::default();
        let entries: Page<Entry> = list.part(&self.table, &part, |_| true).await?;
        let mut ids = entries.map(|entry| entry.task_id).rows;
        // During an upgrade an older server, which makes no entries, may have queued it.
        if let Some(newest) = newest
            && !ids.contains(&newest)
        {
            ids.insert(0, newest);
        }
        let tasks: Vec<Option<TaskRecord>> = futures::stream::iter(ids)
            .map(|id| self.listed(keys::task(workspace, &id)))
            .buffered(READERS)
            .try_collect()
            .await?;
        Ok(tasks.into_iter().flatten().map(TaskRecord::view).collect())
    }

    /// `None` when it is gone or cannot be read.
    async fn listed(&self, key: Key) -> Result<Option<TaskRecord>> {
        let item = self.table.get_item(&key).await?;
        Ok(item.and_then(|item| from_item(&key, item).ok()))
    }

    /// Makes the entries that tasks of a workspace lack: those from before there were entries, and those that an older server queued.
    pub(in crate::service) async fn list_missing(
        &self,
        workspace: &WorkspaceId,
        tasks: &[TaskRecord],
    ) -> Result<()> {
        let mut functions = HashMap::<&FunctionId, Vec<TaskId>>::new();
        for task in tasks {
            if let Some(function) = &task.function_id {
                let of_function = functions.entry(function).or_default();
                of_function.push(task.task_id.clone());
            }
        }
        for (function, mut ids) in functions {
            let partition = keys::function_partition(function);
            let query = Query::prefix(partition, keys::FUNCTION_TASK_PREFIX);
            let entries = self.table.all::<Entry>(query).await?.into_iter();
            let entries: HashSet<TaskId> = entries.map(|entry| entry.task_id).collect();
            ids.retain(|id| !entries.contains(id));
            make_entries(&self.table, workspace, function, &ids).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn task(function: Option<&str>) -> TaskRecord {
        let task = json!({
            "task_id": "t-1", "workspace_id": "ws-1", "function_id": function, "app_name": "shop", "status": "done",
            "created_at": "2026-11-20T14:02:11+09:00", "updated_at": "2026-11-20T14:02:11+09:00",
        });
        serde_json::from_value(task).expect("a task")
    }

    #[test]
    fn a_task_of_a_function_has_an_entry_that_goes_with_it() {
        let task = task(Some("fn-1"));
        let Ok(Some(Write::Put { key, item, .. })) = listing(&task) else {
            panic!("no entry");
        };
        let entry: Entry = from_item(&key, item).expect("readable");
        assert_eq!(entry.task_id, task.task_id);
        assert_eq!(unlisting(&task), Some(Write::delete(key)));
    }

    #[test]
    fn a_task_without_a_function_has_none() {
        let task = task(None);
        assert!(matches!(listing(&task), Ok(None)));
        assert_eq!(unlisting(&task), None);
    }
}
