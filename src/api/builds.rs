//! Builds and deployments, as the console uses them.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::canary::Canary;
use crate::model::deployment::Deployment;
use crate::model::error::Error;
pub use crate::model::form::DeployForm;
use crate::model::id::{DeploymentId, FunctionId, TaskId, WorkspaceId};
use crate::model::task::{TaskLine, TaskStatus, TaskView};
use crate::model::version::VersionView;

/// A task with its output after the line `after` (0: from the start).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuildProgress {
    pub task: TaskView,
    pub lines: Vec<TaskLine>,
}

/// What was built and deployed of a function, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildHistory {
    pub tasks: Vec<TaskView>,
    pub deployments: Vec<Deployment>,
    pub versions: Vec<VersionView>,
    /// The newest one, running or ended.
    pub canary: Option<Canary>,
}

/// Builds what is saved, and deploys it; goes to the Deploy tab, which shows the progress.
#[server]
pub async fn deploy_function(
    workspace: WorkspaceId,
    function: FunctionId,
    #[server(default)] options: DeployForm,
) -> Result<(), Error> {
    use crate::server::context::{redirect, request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .deploy_saved(&actor, &workspace, &function, options)
            .await,
    )?;
    redirect(&format!(
        "/workspaces/{workspace}/functions/{function}/deploy"
    ));
    Ok(())
}

#[server(name = LoadBuildProgress)]
pub async fn build_progress(task: TaskId, after: u64) -> Result<BuildProgress, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let (task, lines) = respond(services.builds.progress(&actor, &task, after).await)?;
    Ok(BuildProgress { task, lines })
}

#[server(name = LoadBuildHistory)]
pub async fn build_history(
    workspace: WorkspaceId,
    function: FunctionId,
) -> Result<BuildHistory, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let (tasks, deployments, versions, canary) =
        respond(services.build_history(&actor, &workspace, &function).await)?;
    Ok(BuildHistory {
        tasks,
        deployments,
        versions,
        canary,
    })
}

/// The newest 100 tasks of a workspace, or those in one state.
#[server]
pub async fn list_builds(
    workspace: WorkspaceId,
    status: Option<TaskStatus>,
) -> Result<Vec<TaskView>, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(services.builds.list(&actor, &workspace, status).await)
}

#[server]
pub async fn cancel_build(task: TaskId) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(services.builds.cancel(&actor, &task).await.map(drop))
}

#[server]
pub async fn retry_build(task: TaskId) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(services.builds.retry(&actor, &task).await.map(drop))
}

/// Deploys an earlier deployment's image again: a rollback when it is older.
#[server]
pub async fn redeploy(deployment: DeploymentId) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .deployments
            .redeploy(&actor, &deployment)
            .await
            .map(drop),
    )
}

/// The SpinApp manifest of what a deployment of this function would be, as YAML.
#[server]
pub async fn preview_manifest(
    workspace: WorkspaceId,
    function: FunctionId,
) -> Result<String, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .preview_manifest(&actor, &workspace, &function)
            .await,
    )
}
