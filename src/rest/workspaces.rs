//! `/api/workspaces`

use axum::Extension;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;

use super::answers::{self, Answer, Answers};
use super::conditional::{self, if_match, unless_known};
use super::description::parameters::{IfMatch, PageParameters, WorkspacePath};
use super::description::requests::{CreateWorkspaceRequest, UpdateWorkspaceRequest};
use super::error::Result;
use super::extract::{Fields, Id, Parameters};
use crate::model::id::WorkspaceId;
use crate::model::workspace::Workspace;
use crate::service::Services;
use crate::service::actor::Actor;

/// Create a workspace.
///
/// Makes an empty workspace. Names need not be unique; a blank one is refused.
#[utoipa::path(
    post, path = "/api/workspaces", operation_id = "create_workspace", tag = "workspaces",
    request_body(content = CreateWorkspaceRequest, example = json!({"name": "Payments", "description": "What approves payments"})),
    responses((status = 201, description = "Created", body = Workspace, headers(("ETag")))),
)]
pub async fn create(State(services): State<Services>, fields: Fields) -> Result<Response> {
    let (name, description) = (fields.required_text("name")?, fields.text("description")?);
    let created = services
        .workspaces
        .create(&Actor::anonymous(), name, description)
        .await?;
    let location = format!("/api/workspaces/{}", created.0.id);
    let place = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, place, tagged(created)?).into_response())
}

fn tagged((workspace, revision): (Workspace, String)) -> Result<Response> {
    conditional::tagged(&workspace, &revision)
}

/// All workspaces.
///
/// Every workspace, with the number of its functions and the figures of the last 24 hours. Without `limit` the list is whole.
#[utoipa::path(
    get, path = "/api/workspaces", operation_id = "list_workspaces", tag = "workspaces",
    params(PageParameters),
    responses((status = 200, description = "Oldest first", body = Vec<Workspace>, headers(("Link")))),
)]
pub async fn list(
    State(services): State<Services>,
    Extension(kept): Extension<Arc<Answers>>,
    OriginalUri(uri): OriginalUri,
    parameters: Parameters,
) -> Result<Answer> {
    let query = parameters.page()?;
    let make = async {
        let actor = Actor::anonymous();
        let page = services.workspaces.list(&actor, &query);
        answers::list(&page.await?, &uri, &parameters)
    };
    let stamp = services.workspaces.list_stamp();
    kept.get(&uri, stamp, make).await
}

/// One workspace.
///
/// With the number of its functions and the figures of the last 24 hours. Its `ETag` makes later changes and reads conditional.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}", operation_id = "get_workspace", tag = "workspaces",
    params(WorkspacePath),
    responses((status = 200, description = "The workspace", body = Workspace, headers(("ETag")))),
)]
pub async fn read(
    State(services): State<Services>,
    Id(id): Id<WorkspaceId>,
    headers: HeaderMap,
) -> Result<Response> {
    let actor = Actor::anonymous();
    let found = services.workspaces.get_tagged(&actor, &id);
    Ok(unless_known(&headers, tagged(found.await?)?))
}

/// Change a workspace.
///
/// Changes name or description; what is absent or null stays. With `If-Match` it is refused (412) when somebody saved in between: read it
/// again, and send yours again.
#[utoipa::path(
    patch, path = "/api/workspaces/{ws}", operation_id = "update_workspace", tag = "workspaces",
    params(WorkspacePath, IfMatch),
    request_body(content = UpdateWorkspaceRequest, example = json!({"name": "Payments and refunds"})),
    responses((status = 200, description = "As it is now", body = Workspace, headers(("ETag")))),
)]
pub async fn update(
    State(services): State<Services>,
    Id(id): Id<WorkspaceId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response> {
    let actor = Actor::anonymous();
    services
        .workspaces
        .update(
            &actor,
            &id,
            fields.text("name")?,
            fields.text("description")?,
            if_match(&headers).as_deref(),
        )
        .await?;
    tagged(services.workspaces.get_tagged(&actor, &id).await?)
}

/// Delete a workspace with all that is in it.
///
/// Takes down what its functions deployed, and removes them with their executions, tasks, code and artifacts. It cannot be undone: export
/// the workspace before. An interrupted deletion goes on when it is asked for again.
#[utoipa::path(
    delete, path = "/api/workspaces/{ws}", operation_id = "delete_workspace", tag = "workspaces",
    params(WorkspacePath, IfMatch),
    responses((status = 204, description = "Gone, with all its functions, executions, tasks and deployments")),
)]
pub async fn delete(
    State(services): State<Services>,
    Id(id): Id<WorkspaceId>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    services
        .retention
        .delete_workspace(&Actor::anonymous(), &id, if_match(&headers).as_deref())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
