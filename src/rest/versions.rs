//! `/api/v1/functions/{fn}/versions`

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::deployments::DeployResponse;
use super::error::Result;
use super::extract::{Fields, Id, Ids, Segments};
use super::functions::ids_of;
use crate::model::error::Error;
use crate::model::id::FunctionId;
use crate::model::version::{Label, VersionDetail, VersionDiff, VersionView};
use crate::server::console::ConsoleState;
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::versions::VersionChange;

pub fn router() -> Router<ConsoleState> {
    Router::new()
        .route("/", get(list))
        .route("/{version}", get(read).patch(update))
        .route("/{version}/deploy", post(deploy))
        .route("/{version}/diff/{other}", get(diff))
}

/// A function and one of its versions, as a path names them.
async fn named(services: &Services, function: &str, version: &str) -> Result<(Ids, u32)> {
    let ids = ids_of(services, FunctionId::parse(function)?).await?;
    Ok((ids, number(version)?))
}

fn number(text: &str) -> std::result::Result<u32, Error> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| Error::validation("version", "A version is a number, counted from 1."))
}

async fn list(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
) -> Result<Json<Vec<VersionView>>> {
    let ids = ids_of(&services, function).await?;
    let versions = &services.versions;
    Ok(Json(
        versions
            .list(&Actor::anonymous(), &ids.workspace, &ids.function)
            .await?,
    ))
}

async fn read(
    State(services): State<Services>,
    Segments((function, version)): Segments<(String, String)>,
) -> Result<Json<VersionDetail>> {
    let (ids, number) = named(&services, &function, &version).await?;
    let versions = &services.versions;
    Ok(Json(
        versions
            .get(&Actor::anonymous(), &ids.workspace, &ids.function, number)
            .await?,
    ))
}

async fn diff(
    State(services): State<Services>,
    Segments((function, from, to)): Segments<(String, String, String)>,
) -> Result<Json<VersionDiff>> {
    let (ids, from) = named(&services, &function, &from).await?;
    let (actor, to) = (Actor::anonymous(), number(&to)?);
    let versions = &services.versions;
    Ok(Json(
        versions
            .diff(&actor, &ids.workspace, &ids.function, from, to)
            .await?,
    ))
}

async fn update(
    State(services): State<Services>,
    Segments((function, version)): Segments<(String, String)>,
    fields: Fields,
) -> Result<Json<VersionView>> {
    let labels = fields
        .texts("labels")?
        .map(|labels| labels.into_iter().map(Label::parse).collect());
    let change = VersionChange {
        labels: labels.transpose()?,
        pinned: fields.flag("pinned")?,
    };
    let (ids, number) = named(&services, &function, &version).await?;
    let (actor, versions) = (Actor::anonymous(), &services.versions);
    Ok(Json(
        versions
            .update(&actor, &ids.workspace, &ids.function, number, change)
            .await?,
    ))
}

async fn deploy(
    State(services): State<Services>,
    Segments((function, version)): Segments<(String, String)>,
) -> Result<Json<DeployResponse>> {
    let (ids, number) = named(&services, &function, &version).await?;
    let versions = &services.versions;
    Ok(Json(
        versions
            .deploy(&Actor::anonymous(), &ids.workspace, &ids.function, number)
            .await?
            .into(),
    ))
}
