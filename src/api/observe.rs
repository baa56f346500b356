//! Calls, executions, lines and metrics, as the console uses them.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::error::Error;
use crate::model::execution::{Execution, ExecutionFilter, ExecutionPage, ExecutionSummary};
pub use crate::model::form::TestForm;
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::model::metrics::{FunctionMetrics, LogLine};

/// A page of executions over a workspace's functions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceLogs {
    pub executions: Vec<ExecutionSummary>,
    pub next: Option<String>,
}

/// Calls what serves; a function that fails is an answer whose status is `error`, not an `Err`.
#[server]
pub async fn test_function(
    workspace: WorkspaceId,
    function: FunctionId,
    request: TestForm,
) -> Result<Execution, Error> {
    use crate::server::context;
    let (services, actor) = context::request()?;
    context::respond(
        services
            .test_from_form(&actor, &workspace, &function, request)
            .await,
    )
}

/// Runs code that is not saved, beside what serves; what the function answers is as for [`test_function`].
#[server]
pub async fn run_draft(
    workspace: WorkspaceId,
    function: FunctionId,
    code: String,
    request: TestForm,
) -> Result<Execution, Error> {
    use crate::server::context;
    let (services, actor) = context::request()?;
    context::respond(
        services
            .draft_from_form(&actor, &workspace, &function, code, request)
            .await,
    )
}

#[server(input = leptos::server_fn::codec::GetUrl)]
pub async fn list_executions(
    workspace: WorkspaceId,
    function: FunctionId,
    filter: ExecutionFilter,
) -> Result<ExecutionPage, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .executions
            .list(&actor, &workspace, &function, &filter)
            .await,
    )
}

#[server]
pub async fn get_execution(
    workspace: WorkspaceId,
    function: FunctionId,
    execution: ExecutionId,
) -> Result<Execution, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .executions
            .get(&actor, &workspace, &function, &execution)
            .await,
    )
}

#[server(name = LoadWorkspaceLogs, input = leptos::server_fn::codec::GetUrl)]
pub async fn workspace_logs(
    workspace: WorkspaceId,
    filter: ExecutionFilter,
) -> Result<WorkspaceLogs, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    let (executions, next) = respond(
        services
            .executions
            .list_workspace_summaries(&actor, &workspace, &filter)
            .await,
    )?;
    Ok(WorkspaceLogs { executions, next })
}

/// At most `limit` lines, newest last, only those after `after` (nanoseconds since the epoch) when it is given.
#[server]
pub async fn live_lines(
    function: FunctionId,
    limit: usize,
    after: Option<i64>,
) -> Result<Vec<LogLine>, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .observe
            .lines(&actor, &function, limit, after)
            .await,
    )
}

#[server(name = LoadFunctionMetrics)]
pub async fn function_metrics(
    workspace: WorkspaceId,
    function: FunctionId,
) -> Result<FunctionMetrics, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .observe
            .metrics(&actor, &workspace, &function)
            .await,
    )
}
