//! Functions and workspaces with all that is theirs; every step is harmless when repeated.

use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

use super::Retention;
use crate::model::deployment::AppName;
use crate::model::error::Result;
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::port::keys;
use crate::service::actor::Actor;
use crate::service::deployments::AppOwner;
use crate::service::executions::activity;
use crate::service::workspaces::expected_revision;

/// Seconds after which a deployment that is under way has lost its server.
const LONGEST_DEPLOYMENT: i64 = 1_800;

impl Retention {
    /// Deletes a function with its apps, tasks, versions, executions, code, values and counters. `if_match` is an ETag that must still hold.
    pub async fn delete_function(
        self: &Arc<Self>,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        if_match: Option<&str>,
    ) -> Result<()> {
        let functions = &self.parts.functions;
        // One that was interrupted goes on when it is asked for again.
        let is_marked = functions.is_deleting(workspace, id).await?;
        let mut revision = None;
        if !is_marked {
            let record = functions.record(workspace, id).await?;
            revision = expected_revision(if_match, record.revision)?;
        }
        let (retention, workspace, id) = (self.clone(), workspace.clone(), id.clone());
        let work = async move {
            if !is_marked {
                let functions = &retention.parts.functions;
                functions.mark_deleting(&workspace, &id, revision).await?;
            }
            retention.finish_function(&workspace, &id).await
        };
        self.parts.effects.run(work).await
    }

    async fn finish_function(&self, workspace: &WorkspaceId, id: &FunctionId) -> Result<()> {
        let turn = self.deletions.get(id.as_str(), Mutex::default);
        let _turn = turn.lock().await;
        let functions = &self.parts.functions;
        if !functions.is_deleting(workspace, id).await? {
            return Ok(());
        }
        self.parts.builds.remove(workspace, Some(id)).await?;
        let apps = self.parts.deployments.apps_by_owner().await?;
        // What was recorded before the mark is written before it is deleted.
        self.parts.recorder.flush().await;
        self.remove_function(workspace, id, &apps).await
    }

    async fn remove_function(
        &self,
        workspace: &WorkspaceId,
        id: &FunctionId,
        apps: &HashMap<AppOwner, Vec<AppName>>,
    ) -> Result<()> {
        let owner = AppOwner::Function(id.clone());
        self.remove_apps(apps, &owner).await?;
        self.parts.key_values.remove_owner(id.as_str()).await?;
        activity::delete_executions(&self.table, workspace, id).await?;
        self.parts.functions.remove(workspace, id).await
    }

    async fn remove_apps(
        &self,
        apps: &HashMap<AppOwner, Vec<AppName>>,
        owner: &AppOwner,
    ) -> Result<()> {
        for app in apps.get(owner).into_iter().flatten() {
            self.parts.deployments.remove_app(owner, app).await?;
        }
        Ok(())
    }

    /// Deletes a workspace with all that is in it. `if_match` is an ETag that must still hold.
    pub async fn delete_workspace(
        self: &Arc<Self>,
        _actor: &Actor,
        id: &WorkspaceId,
        if_match: Option<&str>,
    ) -> Result<()> {
        let workspaces = &self.parts.workspaces;
        let is_marked = workspaces.is_deleting(id).await?;
        let mut revision = None;
        if !is_marked {
            let record = workspaces.record(id).await?;
            revision = expected_revision(if_match, record.revision)?;
        }
        let (retention, id) = (self.clone(), id.clone());
        let work = async move {
            if !is_marked {
                let workspaces = &retention.parts.workspaces;
                workspaces.mark_deleting(&id, revision).await?;
            }
            retention.finish_workspace(&id).await
        };
        self.parts.effects.run(work).await
    }

    /// Tasks and apps are looked for once, for all functions.
    async fn finish_workspace(&self, id: &WorkspaceId) -> Result<()> {
        let turn = self.deletions.get(id.as_str(), Mutex::default);
        let _turn = turn.lock().await;
        if !self.parts.workspaces.is_deleting(id).await? {
            return Ok(());
        }
        let functions = self.all_functions(id).await?;
        for function in &functions {
            let functions = &self.parts.functions;
            functions.mark_deleting(id, &function.id, None).await?;
        }
        self.parts.builds.remove(id, None).await?;
        let apps = self.parts.deployments.apps_by_owner().await?;
        self.parts.recorder.flush().await;
        let owner = AppOwner::Workspace(id.clone());
        self.remove_apps(&apps, &owner).await?;
        for function in functions {
            self.remove_function(id, &function.id, &apps).await?;
        }
        activity::delete_all(&self.table, id).await?;
        // What could not be read. Before the workspace: once that is gone, a build call may make it anew.
        let partition = keys::workspace_partition(id);
        for prefix in [keys::FUNCTION_PREFIX, keys::TASK_PREFIX] {
            self.table.delete_partition(&partition, prefix).await?;
        }
        self.parts.workspaces.remove(id).await
    }

    /// Frees functions whose deployment ended with its server; called before this one answers. Where others serve too, one that began
    /// lately may be theirs.
    pub async fn recover_functions(&self) -> Result<()> {
        let now = Timestamp::now();
        let until = if self.table.is_exclusive() {
            now
        } else {
            now.plus_seconds(-LONGEST_DEPLOYMENT)
        };
        for workspace in self.workspaces().await? {
            let functions = self.all_functions(&workspace).await?;
            for function in functions
                .into_iter()
                .filter(|function| function.work.is_some())
            {
                let task = match &function.task_id {
                    Some(id) => self
                        .parts
                        .builds
                        .get(&Actor::system(), id, Some(&workspace))
                        .await
                        .ok(),
                    None => None,
                };
                // A task that is not done is taken up again, and then frees its function.
                if task.is_none_or(|task| task.status.is_terminal()) {
                    self.parts.deployments.recover(&function, until).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes up deletions that a stopped server left.
    pub async fn resume_deletions(&self) -> Result<()> {
        for workspace in self.parts.workspaces.deleting().await? {
            if let Err(error) = self.finish_workspace(&workspace).await {
                tracing::warn!(%workspace, %error, "a deletion could not be finished yet");
            }
        }
        for workspace in self.workspaces().await? {
            for function in self
                .all_functions(&workspace)
                .await?
                .into_iter()
                .filter(|function| function.deleting)
            {
                if let Err(error) = self.finish_function(&workspace, &function.id).await {
                    tracing::warn!(function = %function.id, %error, "a deletion could not be finished yet");
                }
            }
        }
        Ok(())
    }
}
