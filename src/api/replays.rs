//! Recorded requests made again, as the console uses them.

use leptos::prelude::*;

use crate::model::error::Error;
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::model::replay::Check;

/// `target` is `serving`, a version's number or `draft`. Goes to the comparison; a draft is run in the editor.
#[server]
pub async fn replay_execution(
    workspace: WorkspaceId,
    function: FunctionId,
    execution: ExecutionId,
    target: String,
) -> Result<(), Error> {
    use crate::server::context::{redirect, request, respond};
    let (services, actor) = request()?;
    let place = if target == "draft" {
        format!("code?execution={execution}")
    } else {
        let replayed = respond(
            services
                .replay_from_form(&actor, &workspace, &function, &execution, &target)
                .await,
        )?;
        let id = replayed.replay.id;
        format!("executions?execution={execution}&replay={id}#replay")
    };
    redirect(&format!(
        "/workspaces/{workspace}/functions/{function}/{place}"
    ));
    Ok(())
}

/// Makes the newest recorded requests again on code that is not saved. `all` is `yes` for other methods than GET and HEAD too.
#[server]
pub async fn check_draft(
    workspace: WorkspaceId,
    function: FunctionId,
    code: String,
    #[server(default)] all: String,
) -> Result<Check, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .check_draft(&actor, &workspace, &function, code, all == "yes")
            .await,
    )
}

/// Numbers of the versions that a request can be made again on, newest first.
#[server]
pub async fn list_replay_versions(
    workspace: WorkspaceId,
    function: FunctionId,
) -> Result<Vec<u32>, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .version_numbers(&actor, &workspace, &function)
            .await,
    )
}
