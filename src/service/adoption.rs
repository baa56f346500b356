//! Records of the first system become findable: the directory lists a workspace, a function and a task are found by their ids, and executions
//! of a function are counted. Done when a request comes upon one, and for all by `blue-faas table backfill`. Doing it again changes
//! nothing. Tasks of ours that their function does not list yet are listed with them.

use serde_json::json;
use std::sync::Arc;

use super::actor::Actor;
use super::builds::history;
use super::builds::record::TaskRecord;
use super::first_system::{Kind, kind};
use super::functions::record::FunctionRecord;
use super::table::{Table, from_item, store_error, to_item};
use super::workspaces::WorkspaceRecord;
use crate::model::error::Result;
use crate::model::execution::Execution;
use crate::model::id::{TaskId, WorkspaceId};
use crate::port::keys;
use crate::port::store::{Condition, Item, Key, Query, Store, Update, Write};

/// What a record of ours has from its creation on.
const REVISION: &str = "revision";

fn first_change(key: Key) -> Update {
    Update::new(key)
        .set(REVISION, 1.0)
        .when(Condition::All(vec![
            Condition::Exists,
            Condition::Missing(REVISION.to_owned()),
        ]))
}

/// Lists a workspace in the directory and counts its functions. Answers it as it is then.
pub(super) async fn adopt_workspace(
    table: &Table,
    mut record: WorkspaceRecord,
) -> Result<WorkspaceRecord> {
    let key = keys::workspace(&record.id);
    let functions: Vec<FunctionRecord> = table
        .all(Query::prefix(key.pk.as_str(), keys::FUNCTION_PREFIX))
        .await?;
    record.function_count = functions.iter().filter(|one| !one.deleting).count() as f64;
    record.revision = 1.0;
    let adopt = first_change(key.clone()).set("functionCount", record.function_count);
    let writes = vec![
        Write::Update(adopt),
        Write::put(keys::workspace_entry(&record.id), to_item(&record)?),
    ];
    if table.try_transact(writes, None).await? {
        tracing::info!(workspace = %record.id, "a workspace of the first system is listed from now on");
        return Ok(record);
    }
    // Another request was quicker, or the workspace is gone.
    Ok(table.get(&key).await?.unwrap_or(record))
}

/// Makes a function known by its id, and its workspace with it. Answers it as it is then.
pub(super) async fn adopt_function(
    table: &Table,
    mut record: FunctionRecord,
) -> Result<FunctionRecord> {
    let key = keys::function(&record.workspace_id, &record.id);
    let workspace = keys::workspace(&record.workspace_id);
    if let Some(workspace) = table.get::<WorkspaceRecord>(&workspace).await?
        && workspace.revision == 0.0
    {
        adopt_workspace(table, workspace).await?;
    }
    record.revision = 1.0;
    let writes = vec![
        Write::Update(first_change(key.clone())),
        Write::put(
            keys::function_owner(&record.id),
            place(&record.workspace_id)?,
        ),
    ];
    if table.try_transact(writes, None).await? {
        return Ok(record);
    }
    Ok(table.get(&key).await?.unwrap_or(record))
}

/// Makes a task known by its id.
pub(super) async fn adopt_task(table: &Table, workspace: &WorkspaceId, id: &TaskId) -> Result<()> {
    table
        .write(Write::put(keys::task_owner(id), place(workspace)?))
        .await
}

fn place(workspace: &WorkspaceId) -> Result<Item> {
    to_item(&json!({"workspace_id": workspace}))
}

/// What [`backfill`] found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backfilled {
    pub read: usize,
    pub workspaces: usize,
    pub functions: usize,
    pub tasks: usize,
    /// Keys of records that cannot be read; the log says why.
    pub unreadable: Vec<String>,
}

/// Reads the whole table and adopts what is not yet findable. Stopped half-way, it goes on when it is run again: what is done is only read.
pub async fn backfill(_actor: &Actor, store: Arc<dyn Store>) -> Result<Backfilled> {
    let table = Table::new(store.clone());
    let mut done = Backfilled::default();
    let mut after = None;
    loop {
        let page = store.scan(after.as_ref()).await.map_err(store_error)?;
        for (key, item) in page.items {
            done.read += 1;
            adopt(&table, &key, item, &mut done).await?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(done);
        }
    }
}

async fn adopt(table: &Table, key: &Key, item: Item, done: &mut Backfilled) -> Result<()> {
    let is_new = !item.contains_key(REVISION);
    let readable = match kind(key) {
        Some(Kind::Workspace(_)) => {
            let record = from_item::<WorkspaceRecord>(key, item).ok();
            if let Some(record) = record.clone()
                && is_new
            {
                adopt_workspace(table, record).await?;
                done.workspaces += 1;
            }
            record.is_some()
        }
        Some(Kind::Function(..)) => {
            let record = from_item::<FunctionRecord>(key, item).ok();
            if let Some(record) = record.clone()
                && is_new
            {
                adopt_function(table, record).await?;
                done.functions += 1;
            }
            record.is_some()
        }
        Some(Kind::Task(..)) => {
            let is_new = !item.contains_key("fence");
            let task = from_item::<TaskRecord>(key, item).ok();
            if let Some(task) = &task {
                let mut found = history::list_if_missing(table, task).await?;
                if is_new
                    && table
                        .get_item(&keys::task_owner(&task.task_id))
                        .await?
                        .is_none()
                {
                    adopt_task(table, &task.workspace_id, &task.task_id).await?;
                    found = true;
                }
                done.tasks += usize::from(found);
            }
            task.is_some()
        }
        Some(Kind::Execution(..)) => from_item::<Execution>(key, item).is_ok(),
        None => true,
    };
    if !readable {
        done.unreadable.push(format!("{} {}", key.pk, key.sk));
    }
    Ok(())
}
