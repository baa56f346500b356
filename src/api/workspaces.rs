//! Workspaces, as the console uses them.

use leptos::prelude::*;

use crate::model::error::Error;
use crate::model::id::WorkspaceId;
use crate::model::workspace::{Workspace, WorkspaceCard, WorkspaceOverview};

/// All workspaces with their last 24 hours, by last activity.
#[server]
pub async fn list_workspaces() -> Result<Vec<WorkspaceCard>, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(services.workspaces.list_cards(&actor).await)
}

#[server]
pub async fn get_workspace(id: WorkspaceId) -> Result<Workspace, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(services.workspaces.get(&actor, &id).await)
}

#[server(name = LoadWorkspaceOverview)]
pub async fn workspace_overview(id: WorkspaceId) -> Result<WorkspaceOverview, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(services.overview(&actor, &id).await)
}

/// Goes to the new workspace.
#[server]
pub async fn create_workspace(name: String, description: String) -> Result<(), Error> {
    use crate::server::context::{redirect, request, respond};
    let (services, actor) = request()?;
    let (workspace, _) = respond(
        services
            .workspaces
            .create(&actor, &name, Some(&description))
            .await,
    )?;
    redirect(&format!("/workspaces/{}", workspace.id));
    Ok(())
}

/// An empty description clears it.
#[server]
pub async fn update_workspace(
    id: WorkspaceId,
    name: String,
    description: String,
) -> Result<Workspace, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .workspaces
            .update(&actor, &id, Some(&name), Some(&description), None)
            .await,
    )
}

/// Deletes the workspace and all that is in it; `confirmation` must be its name. Goes to the first page.
#[server]
pub async fn delete_workspace(id: WorkspaceId, confirmation: String) -> Result<(), Error> {
    use crate::server::context::{redirect, request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .delete_workspace_confirmed(&actor, &id, &confirmation)
            .await,
    )?;
    redirect("/");
    Ok(())
}
