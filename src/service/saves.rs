//! Saved code, and the deployment that follows where a function asks for it.

use super::Services;
use super::actor::Actor;
use super::builds::record::{TaskKind, TaskRecord};
use super::functions::{FunctionChange, FunctionRecord, SourceUpload};
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::form::DeployForm;
use crate::model::function::Function;
use crate::model::id::{FunctionId, WorkspaceId};

impl Services {
    /// Applies a change, as [`Functions::update`](super::functions::Functions::update) does. New code is deployed where the function asks for that.
    pub async fn update_function(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        change: FunctionChange,
        if_match: Option<&str>,
    ) -> Result<(Function, String)> {
        let has_code = change.code.is_some();
        let saved = self
            .functions
            .update(actor, workspace, id, change, if_match)
            .await?;
        if has_code {
            self.after_save(actor, workspace, id, saved).await
        } else {
            Ok(saved)
        }
    }

    /// Replaces the whole source, as [`Functions::replace_source`](super::functions::Functions::replace_source) does, and deploys it likewise.
    pub async fn replace_source(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        upload: SourceUpload,
        if_match: Option<&str>,
    ) -> Result<(Function, String)> {
        let saved = self
            .functions
            .replace_source(actor, workspace, id, upload, if_match)
            .await?;
        self.after_save(actor, workspace, id, saved).await
    }

    /// The function as it is once its deployment waits. What was saved stays saved whatever becomes of that.
    async fn after_save(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        saved: (Function, String),
    ) -> Result<(Function, String)> {
        if !saved.0.deploy_on_save {
            return Ok(saved);
        }
        match self.deploy_on_save(actor, workspace, id).await {
            Ok(true) => self.functions.get(actor, workspace, id).await.or(Ok(saved)),
            Ok(false) => Ok(saved),
            Err(error) => {
                tracing::warn!(function = %id, %error, "saved code could not be deployed");
                Ok(saved)
            }
        }
    }

    /// Queues the deployment of what is saved, behind what is under way and in place of what waits for an earlier save. `false` when there is
    /// nothing to do.
    async fn deploy_on_save(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<bool> {
        for _ in 0..16 {
            let function = self.functions.record(workspace, id).await?;
            let newest = self.task_under_way(actor, &function).await;
            if !function.deploy_on_save || goes_live(&function, newest.as_ref()) {
                return Ok(false);
            }
            let (mut plan, _) = self
                .plan_deployment(&function, &DeployForm::default())
                .await?;
            plan.on_save = true;
            match self
                .builds
                .build_saved(actor, &function, TaskKind::Deploy, plan, None)
                .await
            {
                Ok(_) => {
                    self.replace_waiting(newest).await;
                    return Ok(true);
                }
                // Saved anew in between: that is what has to be deployed.
                Err(error) if error.kind == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::overloaded(
            "This function is being saved by many callers at once.",
        ))
    }

    async fn task_under_way(&self, actor: &Actor, function: &FunctionRecord) -> Option<TaskRecord> {
        let id = function.task_id.as_ref()?;
        let task = self
            .builds
            .get(actor, id, Some(&function.workspace_id))
            .await;
        task.ok().filter(|task| !task.status.is_terminal())
    }

    /// One that has begun is let finish: with a slow build and quick saves nothing would ever go live otherwise.
    async fn replace_waiting(&self, earlier: Option<TaskRecord>) {
        let on_save = |task: &TaskRecord| task.deploy.as_ref().is_some_and(|plan| plan.on_save);
        if let Some(task) = earlier.filter(on_save)
            && let Err(error) = self.builds.end_waiting(&task).await
        {
            tracing::warn!(task = %task.task_id, %error, "a deployment that a newer save replaces could not be cancelled");
        }
    }
}

/// Whether what is saved serves already, or will without anything more.
fn goes_live(function: &FunctionRecord, newest: Option<&TaskRecord>) -> bool {
    let saved = function.source_summary().sha256;
    match newest {
        Some(task) => {
            task.deploy.is_some()
                && !task.cancel_requested
                && task
                    .source
                    .as_ref()
                    .is_some_and(|source| source.sha256 == saved)
        }
        None => function.deployed_source.as_deref() == Some(saved.as_str()),
    }
}
