//! `/api/v1/functions/{fn}/canary`

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;

use super::error::Result;
use super::extract::{Fields, Id};
use super::functions::ids_of;
use crate::model::canary::{Canary, CanaryPlan};
use crate::model::error::{Error, ErrorKind};
use crate::model::id::FunctionId;
use crate::server::console::ConsoleState;
use crate::service::Services;
use crate::service::actor::Actor;

pub fn router() -> Router<ConsoleState> {
    Router::new()
        .route("/", get(read).post(start).delete(end))
        .route("/promote", post(promote))
}

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

async fn start(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
    fields: Fields,
) -> Result<(StatusCode, Json<Canary>)> {
    let plan = plan(&fields)?;
    let ids = ids_of(&services, function).await?;
    let deployments = &services.deployments;
    let canary = deployments
        .start_canary(&Actor::anonymous(), &ids.workspace, &ids.function, plan)
        .await?;
    Ok((StatusCode::CREATED, Json(canary)))
}

async fn read(
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

async fn end(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
) -> Result<Json<Canary>> {
    let ids = ids_of(&services, function).await?;
    let (actor, deployments) = (Actor::anonymous(), &services.deployments);
    let ended = deployments.end_canary(&actor, &ids.workspace, &ids.function);
    Ok(Json(ended.await?))
}

async fn promote(
    State(services): State<Services>,
    Id(function): Id<FunctionId>,
) -> Result<Json<Canary>> {
    let ids = ids_of(&services, function).await?;
    let (actor, deployments) = (Actor::anonymous(), &services.deployments);
    let promoted = deployments.promote_canary(&actor, &ids.workspace, &ids.function);
    Ok(Json(promoted.await?))
}
