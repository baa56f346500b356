//! `/api/v1/functions/{fn}/versions`

use axum::Json;
use axum::extract::{OriginalUri, State};

use super::answers::{self, Answer};
use super::deployments::DeployResponse;
use super::description::parameters::{FunctionPath, PageParameters, VersionPath, VersionsPath};
use super::description::requests::UpdateVersionRequest;
use super::error::{Envelope, Result};
use super::extract::{Fields, Id, Ids, Parameters, Segments};
use super::functions::ids_of;
use crate::model::error::Error;
use crate::model::id::FunctionId;
use crate::model::version::{Label, VersionDetail, VersionDiff, VersionView};
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::versions::VersionChange;

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

/// The versions of a function.
///
/// What successful builds of the function made, each immutable. Labels, pins and what serves are said with them; the oldest ones without a
/// label, a pin or a deployment are collected.
#[utoipa::path(
    get, path = "/api/v1/functions/{fn}/versions", operation_id = "list_versions", tag = "versions",
    params(FunctionPath, PageParameters),
    responses((status = 200, description = "Newest first, 100 unless `limit` says otherwise", body = Vec<VersionView>, headers(("Link")))),
)]
pub async fn list(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    Id(function): Id<FunctionId>,
    parameters: Parameters,
) -> Result<Answer> {
    let query = parameters.page()?;
    let ids = ids_of(&services, function).await?;
    let (versions, actor) = (&services.versions, Actor::anonymous());
    let page = versions.list(&actor, &ids.workspace, &ids.function, &query);
    Ok(answers::list(&page.await?, &uri, &parameters)?)
}

/// One version with its source.
///
/// Its settings at that time and the files of its source. Values of the environment are masked.
#[utoipa::path(
    get, path = "/api/v1/functions/{fn}/versions/{version}", operation_id = "get_version", tag = "versions",
    params(VersionPath),
    responses((status = 200, description = "The version with its source", body = VersionDetail)),
)]
pub async fn read(
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

/// What differs between two versions.
///
/// Files by lines, settings by fields; of the environment the names alone, since its values may be secret.
#[utoipa::path(
    get, path = "/api/v1/functions/{fn}/versions/{version}/diff/{other}", operation_id = "diff_versions", tag = "versions",
    params(VersionsPath),
    responses((status = 200, description = "What the second has otherwise than the first", body = VersionDiff)),
)]
pub async fn diff(
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

/// Label or pin a version.
///
/// A label is on one version of a function: it leaves the one that had it. A pinned or labelled version is kept however many follow.
#[utoipa::path(
    patch, path = "/api/v1/functions/{fn}/versions/{version}", operation_id = "update_version", tag = "versions",
    params(VersionPath),
    request_body(content = UpdateVersionRequest, example = json!({"labels": ["stable"], "pinned": true})),
    responses((status = 200, description = "As it is now", body = VersionView)),
)]
pub async fn update(
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

/// Deploy a version.
///
/// Lets this version serve under the function's app name, with the options of the deployment before: to go back, or forward again. It is
/// refused when its artifact is gone.
#[utoipa::path(
    post, path = "/api/v1/functions/{fn}/versions/{version}/deploy", operation_id = "deploy_version", tag = "versions",
    params(VersionPath),
    responses(
        (status = 200, description = "Deployed", body = DeployResponse),
        (status = 502, description = "`DEPLOY_ERROR`: what deploys does not answer, or refused; what served goes on.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: what deploys did not answer in time. Look at the function's deployments before sending it again.", body = Envelope),
    ),
)]
pub async fn deploy(
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
