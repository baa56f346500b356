//! Executions: recorded in groups, listed newest first.

pub(super) mod activity;
mod group;
mod list;
pub mod recorder;

use std::sync::Arc;

use super::actor::Actor;
use super::functions::Functions;
use super::new_id;
use super::table::Table;
use super::workspaces::Workspaces;
use crate::model::error::{Error, Result};
use crate::model::execution::Execution;
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::port::keys;

pub use recorder::Recorder;

pub struct Executions {
    table: Table,
    workspaces: Arc<Workspaces>,
    functions: Arc<Functions>,
}

impl Executions {
    pub fn new(table: Table, workspaces: Arc<Workspaces>, functions: Arc<Functions>) -> Arc<Self> {
        Arc::new(Self {
            table,
            workspaces,
            functions,
        })
    }

    pub async fn get(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
        id: &ExecutionId,
    ) -> Result<Execution> {
        self.functions.record(workspace, function).await?;
        let found = match new_id::execution_time(id) {
            Some(at) => {
                let key = keys::execution(&keys::function_partition(function), at, id);
                self.table.get(&key).await?
            }
            None => self.find(function, id).await?,
        };
        found.ok_or_else(|| Error::not_found("execution", id))
    }
}
