//! Recorded requests made again, one or the last of a function

use axum::Json;
use axum::extract::State;

use super::description::parameters::{ExecutionPath, WorkspaceFunctionPath};
use super::description::requests::{CheckFunctionRequest, ReplayRequest};
use super::error::{Envelope, Result};
use super::executions::draft_of;
use super::extract::{ExecutionIds, Fields, Ids};
use crate::model::error::Error;
use crate::model::replay::{Check, Replayed};
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::replays::{CheckRequest, Methods, Target};

/// Make a recorded request again.
///
/// Sends a recorded request again, to what serves, to a version or to a draft, and compares both answers. What the record does not hold
/// (masked headers, for one) is left out and named in `altered`; a request that was cut is refused. It is counted nowhere, but what the
/// function does to others is done again.
#[utoipa::path(
    post, path = "/api/workspaces/{ws}/functions/{fn}/executions/{id}/replay", operation_id = "replay_execution", tag = "executions",
    params(ExecutionPath),
    request_body(content = Option<ReplayRequest>, example = json!({"version": 2})),
    responses(
        (status = 200, description = "Both answers, and what differs", body = Replayed),
        (status = 400, description = "`NOT_DEPLOYED`, or `VALIDATION_ERROR`", body = Envelope),
        (status = 502, description = "`FUNCTION_ERROR`: the function ended without an answer. Its executions show why.", body = Envelope),
        (status = 503, description = "`INVOCATION_ERROR`: it could not be reached. `OVERLOADED`: come back later.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: it took longer than its timeout.", body = Envelope),
    ),
)]
pub async fn replay(
    State(services): State<Services>,
    ids: ExecutionIds,
    fields: Option<Fields>,
) -> Result<Json<Replayed>> {
    let target = target(&fields.unwrap_or_default())?;
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

/// Make the newest requests again.
///
/// Sends the newest recorded requests again to what serves, to a version or to a draft, and counts how many answers differ: before a
/// deployment, say. Only GET and HEAD are repeated unless `methods` is `all`; it ends after 60 seconds, and the rest is `notRun`.
#[utoipa::path(
    post, path = "/api/workspaces/{ws}/functions/{fn}/check", operation_id = "check_function", tag = "executions",
    params(WorkspaceFunctionPath),
    request_body(content = Option<CheckFunctionRequest>, example = json!({"version": 2, "last": 10})),
    responses(
        (status = 200, description = "The newest requests made again", body = Check),
        (status = 400, description = "`NOT_DEPLOYED`, or `VALIDATION_ERROR`", body = Envelope),
        (status = 502, description = "`FUNCTION_ERROR`: the function ended without an answer. Its executions show why.", body = Envelope),
        (status = 503, description = "`INVOCATION_ERROR`: it could not be reached. `OVERLOADED`: come back later.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: it took longer than its timeout.", body = Envelope),
    ),
)]
pub async fn check(
    State(services): State<Services>,
    ids: Ids,
    fields: Option<Fields>,
) -> Result<Json<Check>> {
    let fields = fields.unwrap_or_default();
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
