//! What paths, queries and headers hold, as the document describes it.
#![expect(
    dead_code,
    reason = "described to clients; nothing is ever made of them"
)]

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::model::execution::{ExecutionStatus, Trigger};
use crate::model::id::{DeploymentId, ExecutionId, FunctionId, TaskId, WorkspaceId};
use crate::model::time::Timestamp;

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WorkspacePath {
    /// The workspace's id.
    ws: WorkspaceId,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WorkspaceFunctionPath {
    /// The workspace's id.
    ws: WorkspaceId,
    /// The function's id.
    r#fn: FunctionId,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FunctionPath {
    /// The function's id.
    r#fn: FunctionId,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ExecutionPath {
    /// The workspace's id.
    ws: WorkspaceId,
    /// The function's id.
    r#fn: FunctionId,
    /// The execution's id, as lists and calls answer it.
    id: ExecutionId,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TaskPath {
    /// The task's id, as the build or push answered it.
    id: TaskId,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeploymentPath {
    /// The deployment's id, from the function's deployments.
    id: DeploymentId,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct VersionPath {
    /// The function's id.
    r#fn: FunctionId,
    /// The version's number, counted from 1 for each function.
    #[param(minimum = 1, maximum = 4_294_967_295_u32)]
    version: u32,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct VersionsPath {
    /// The function's id.
    r#fn: FunctionId,
    /// The number of the version that is compared with, mostly the older one.
    #[param(minimum = 1, maximum = 4_294_967_295_u32)]
    version: u32,
    /// The number of the version whose differences are told.
    #[param(minimum = 1, maximum = 4_294_967_295_u32)]
    other: u32,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// Rows at most. When absent, 100 of versions, deployments and tasks, and all of the others.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// From the `Link` of the answer before.
    #[param(format = "cursor")]
    cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FunctionsQuery {
    /// `summary` leaves `code` out.
    #[param(inline)]
    fields: Option<Fields>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fields {
    Summary,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogsQuery {
    /// `error` when the function answered 500 or above, failed, took too long or could not be reached.
    status: Option<ExecutionStatus>,
    /// The HTTP status code of the function's answer.
    #[param(minimum = 0, maximum = 65535)]
    code: Option<u16>,
    /// Drafts and replays are left out unless they are asked for.
    trigger: Option<Trigger>,
    /// Those that began at this time or later, in any offset.
    from: Option<Timestamp>,
    /// Those that began at this time or before, in any offset.
    to: Option<Timestamp>,
    /// Text in path, bodies or output lines.
    q: Option<String>,
    /// `next` of the answer before.
    #[param(format = "cursor")]
    cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LimitTo500 {
    /// Rows at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LimitTo1000 {
    /// Rows at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TaskQuery {
    /// Where to look for it; it is found without, too.
    workspace_id: Option<WorkspaceId>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// With the values of the environment, which may be secret.
    #[param(inline)]
    values: Option<YesOrNo>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ComponentQuery {
    /// With the built component.
    #[param(inline)]
    component: Option<YesOrNo>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum YesOrNo {
    Yes,
    No,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatch {
    /// The `ETag` of what was read: a change by someone else in between is 412.
    #[param(rename = "If-Match", value_type = String, required = false, example = "\"3\"")]
    if_match: Option<String>,
}

/// Of a stream of events.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct LastEventId {
    /// With `Accept: text/event-stream`: goes on after this event.
    #[param(rename = "Last-Event-ID", value_type = String, required = false)]
    last_event_id: Option<String>,
}
