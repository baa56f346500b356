//! `/api/v1/functions/{fn}/canary`

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use super::description::parameters::FunctionPath;
use super::description::requests::StartCanaryRequest;
use super::error::{Envelope, Result};
use super::extract::{Fields, Id};
use super::functions::ids_of;
use crate::model::canary::{Canary, CanaryPlan};
use crate::model::error::{Error, ErrorKind};
use crate::model::id::FunctionId;
use crate::service::Services;
use crate::service::actor::Actor;

fn plan(fields: &Fields) -> std::result::Result<CanaryPlan, Error> {
    let required = |name: &str| {
        fields
            .number(name)?
            .ok_or_else(|| Error::validation(name, format!("{name} is required.")))
    };
    CanaryPlan::parse(
        required("version")?,
        required("percent")?,
        fields.number("margin")?,
        fields.number("min_calls")?,
    )
}

/// Send a share of the calls to a version.
///
/// The version serves the given share of the function's calls; when its error rate exceeds that of the serving version by more than
/// `margin`, it ends by itself. Refused while another canary runs (409), and where nothing serves.
#[utoipa::path(
    post, path = "/api/v1/functions/{fn}/canary", operation_id = "start_canary", tag = "versions",
    params(FunctionPath),
    request_body(content = StartCanaryRequest, example = json!({"version": 2, "percent": 10})),
    responses(
        (status = 201, description = "Running", body = Canary),
        (status = 502, description = "`DEPLOY_ERROR`: what deploys does not answer, or refused; what served goes on.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: what deploys did not answer in time. Look at the function's deployments before sending it again.", body = Envelope),
    ),
)]
pub async fn start(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
    fields: Fields,
) -> Result<Response> {
    let plan = plan(&fields)?;
    let ids = ids_of(&services, function).await?;
    let deployments = &services.deployments;
    let canary = deployments
        .start_canary(&Actor::anonymous(), &ids.workspace, &ids.function, plan)
        .await?;
    let location = format!("/api/v1/functions/{}/canary", ids.function);
    let place = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, place, Json(canary)).into_response())
}

/// The newest canary.
///
/// Its state and the calls and errors of both sides. 404 where there has been none yet.
#[utoipa::path(
    get, path = "/api/v1/functions/{fn}/canary", operation_id = "get_canary", tag = "versions",
    params(FunctionPath),
    responses((status = 200, description = "The newest one, running or ended", body = Canary)),
)]
pub async fn read(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
) -> Result<Json<Canary>> {
    let ids = ids_of(&services, function).await?;
    let deployments = &services.deployments;
    let newest = deployments
        .canary(&Actor::anonymous(), &ids.workspace, &ids.function)
        .await?;
    let none = || Error::new(ErrorKind::NotFound, "This function has had no canary yet.");
    Ok(Json(newest.ok_or_else(none)?))
}

/// End the canary.
///
/// All calls go to the serving version again. Refused (409) when none runs.
#[utoipa::path(
    delete, path = "/api/v1/functions/{fn}/canary", operation_id = "end_canary", tag = "versions",
    params(FunctionPath),
    responses(
        (status = 200, description = "Ended", body = Canary),
        (status = 502, description = "`DEPLOY_ERROR`: what deploys does not answer, or refused; what served goes on.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: what deploys did not answer in time. Look at the function's deployments before sending it again.", body = Envelope),
    ),
)]
pub async fn end(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
) -> Result<Json<Canary>> {
    let ids = ids_of(&services, function).await?;
    let (actor, deployments) = (Actor::anonymous(), &services.deployments);
    let ended = deployments.end_canary(&actor, &ids.workspace, &ids.function);
    Ok(Json(ended.await?))
}

/// Let the canary serve.
///
/// The version takes all calls, as if it had been deployed. Refused (409) when no canary runs.
#[utoipa::path(
    post, path = "/api/v1/functions/{fn}/canary/promote", operation_id = "promote_canary", tag = "versions",
    params(FunctionPath),
    responses(
        (status = 200, description = "It serves now", body = Canary),
        (status = 502, description = "`DEPLOY_ERROR`: what deploys does not answer, or refused; what served goes on.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: what deploys did not answer in time. Look at the function's deployments before sending it again.", body = Envelope),
    ),
)]
pub async fn promote(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
) -> Result<Json<Canary>> {
    let ids = ids_of(&services, function).await?;
    let (actor, deployments) = (Actor::anonymous(), &services.deployments);
    let promoted = deployments.promote_canary(&actor, &ids.workspace, &ids.function);
    Ok(Json(promoted.await?))
}
