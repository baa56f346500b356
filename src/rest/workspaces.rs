//! `/api/workspaces`

use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;

use super::answers::{Answer, Answers};
use super::error::Result;
use super::extract::{Fields, Id, if_match};
use crate::model::id::WorkspaceId;
use crate::model::workspace::Workspace;
use crate::service::Services;
use crate::service::actor::Actor;

pub async fn create(
    State(services): State<Services>,
    fields: Fields,
) -> Result<(StatusCode, Json<Workspace>)> {
    let (name, description) = (fields.required_text("name")?, fields.text("description")?);
    let workspace = services
        .workspaces
        .create(&Actor::anonymous(), name, description)
        .await?;
    Ok((StatusCode::CREATED, Json(workspace)))
}

pub async fn list(
    State(services): State<Services>,
    Extension(answers): Extension<Arc<Answers>>,
    OriginalUri(uri): OriginalUri,
) -> Result<Answer> {
    let list = async { Answer::json(&services.workspaces.list(&Actor::anonymous()).await?, None) };
    answers
        .get(&uri, services.workspaces.list_stamp(), list)
        .await
}

pub async fn read(State(services): State<Services>, Id(id): Id<WorkspaceId>) -> Result<Response> {
    let (workspace, etag) = services
        .workspaces
        .get_tagged(&Actor::anonymous(), &id)
        .await?;
    Ok(([(header::ETAG, etag)], Json(workspace)).into_response())
}

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
            if_match(&headers),
        )
        .await?;
    let (workspace, etag) = services.workspaces.get_tagged(&actor, &id).await?;
    Ok(([(header::ETAG, etag)], Json(workspace)).into_response())
}

pub async fn delete(
    State(services): State<Services>,
    Id(id): Id<WorkspaceId>,
) -> Result<StatusCode> {
    services
        .retention
        .delete_workspace(&Actor::anonymous(), &id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
