//! Versions and canaries, as the console uses them.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::canary::Canary;
use crate::model::error::Error;
pub use crate::model::form::{CanaryForm, VersionForm};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::version::{VersionDetail, VersionDiff, VersionView};

/// One version, those it can be compared with, and how it differs from the one that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionPage {
    pub version: VersionDetail,
    /// Newest first.
    pub versions: Vec<VersionView>,
    pub diff: Option<VersionDiff>,
}

#[server(name = LoadVersion)]
pub async fn version_page(
    workspace: WorkspaceId,
    function: FunctionId,
    version: u32,
    against: Option<u32>,
) -> Result<VersionPage, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let page = services.version_page(&actor, &workspace, &function, version, against);
    let (version, versions, diff) = respond(page.await)?;
    Ok(VersionPage {
        version,
        versions,
        diff,
    })
}

#[server]
pub async fn mark_version(
    workspace: WorkspaceId,
    function: FunctionId,
    version: u32,
    #[server(default)] marks: VersionForm,
) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let marked = services.mark_version(&actor, &workspace, &function, version, marks);
    respond(marked.await)
}

/// Lets a version serve: a rollback when it is an older one.
#[server]
pub async fn deploy_version(
    workspace: WorkspaceId,
    function: FunctionId,
    version: u32,
) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let versions = &services.versions;
    respond(
        versions
            .deploy(&actor, &workspace, &function, version)
            .await
            .map(drop),
    )
}

/// The newest canary of a function, running or ended.
#[server(name = LoadCanary)]
pub async fn canary(workspace: WorkspaceId, function: FunctionId) -> Result<Option<Canary>, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let deployments = &services.deployments;
    respond(deployments.canary(&actor, &workspace, &function).await)
}

#[server]
pub async fn start_canary(
    workspace: WorkspaceId,
    function: FunctionId,
    #[server(default)] plan: CanaryForm,
) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let started = services.start_canary(&actor, &workspace, &function, plan);
    respond(started.await)
}

#[server]
pub async fn end_canary(workspace: WorkspaceId, function: FunctionId) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let deployments = &services.deployments;
    respond(
        deployments
            .end_canary(&actor, &workspace, &function)
            .await
            .map(drop),
    )
}

/// The canary becomes what serves.
#[server]
pub async fn promote_canary(workspace: WorkspaceId, function: FunctionId) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let deployments = &services.deployments;
    respond(
        deployments
            .promote_canary(&actor, &workspace, &function)
            .await
            .map(drop),
    )
}
