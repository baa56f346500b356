//! Recorded requests made again, one or the last of a function

use axum::Json;
use axum::extract::State;

use super::error::Result;
use super::executions::draft_of;
use super::extract::{ExecutionIds, Fields, Ids};
use crate::model::error::Error;
use crate::model::replay::{Check, Replayed};
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::replays::{CheckRequest, Methods, Target};

pub async fn replay(
    State(services): State<Services>,
    ids: ExecutionIds,
    fields: Fields,
) -> Result<Json<Replayed>> {
    let target = target(&fields)?;
    Ok(Json(
        services
            .replays
            .replay(
                &Actor::anonymous(),
                &ids.workspace,
                &ids.function,
                &ids.execution,
                target,
            )
            .await?,
    ))
}

pub async fn check(
    State(services): State<Services>,
    ids: Ids,
    fields: Fields,
) -> Result<Json<Check>> {
    let request = CheckRequest {
        target: target(&fields)?,
        last: fields.number("last")?,
        methods: methods(&fields)?,
    };
    Ok(Json(
        services
            .replays
            .check(&Actor::anonymous(), &ids.workspace, &ids.function, request)
            .await?,
    ))
}

/// A version, a draft, or what serves when neither is named.
fn target(fields: &Fields) -> std::result::Result<Target, Error> {
    match (fields.number("version")?, draft_of(fields)?) {
        (None, None) => Ok(Target::Serving),
        (Some(version), None) => Ok(Target::Version(version)),
        (None, Some(draft)) => Ok(Target::Draft(draft)),
        (Some(_), Some(_)) => Err(Error::validation(
            "version",
            "Name a version, or send the code of a draft.",
        )),
    }
}

fn methods(fields: &Fields) -> std::result::Result<Methods, Error> {
    match fields.text("methods")? {
        None | Some("safe") => Ok(Methods::Safe),
        Some("all") => Ok(Methods::All),
        Some(_) => Err(Error::validation(
            "methods",
            "Use safe for GET and HEAD, or all.",
        )),
    }
}
