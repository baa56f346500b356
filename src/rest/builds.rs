//! Build tasks below `/api/v1`

use axum::Json;
use axum::extract::{OriginalUri, State};
use http::{HeaderName, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::answers::Answer;
use super::description::parameters::{PageParameters, TaskPath, TaskQuery, WorkspacePath};
use super::description::requests::{BuildAndPushForm, BuildForm, PushRequest};
use super::error::{Envelope, Result};
use super::extract::{Fields, Id, Parameters};
use super::upload::Form;
use crate::model::deployment::AppName;
use crate::model::error::Error;
use crate::model::id::{FunctionId, TaskId, WorkspaceId};
use crate::model::task::{Stage, TaskResult, TaskStatus};
use crate::model::time::Timestamp;
use crate::port::builder::RegistryCredentials;
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::builds::BuildUpload;
use crate::service::builds::record::{PushTarget, TaskRecord};

#[derive(Serialize, ToSchema)]
pub struct BuildResponse {
    task_id: TaskId,
    status: TaskStatus,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_s3_path: Option<String>,
}

/// With the task's address.
type Accepted = (StatusCode, [(HeaderName, String); 1], Json<BuildResponse>);

impl BuildResponse {
    fn accepted(task: TaskRecord, message: &'static str) -> Accepted {
        let location = format!("/api/v1/tasks/{}", task.task_id);
        (
            StatusCode::ACCEPTED,
            [(header::LOCATION, location)],
            Json(Self {
                task_id: task.task_id,
                status: task.status,
                message,
                source_s3_path: task.source_code_path,
            }),
        )
    }
}

#[derive(Serialize, ToSchema)]
pub struct TaskStatusResponse {
    task_id: TaskId,
    status: TaskStatus,
    result: Option<TaskResult>,
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_id: Option<FunctionId>,
    stages: Vec<Stage>,
}

impl From<TaskRecord> for TaskStatusResponse {
    fn from(task: TaskRecord) -> Self {
        Self {
            result: task.result(),
            task_id: task.task_id,
            status: task.status,
            error: task.error_message,
            function_id: task.function_id,
            stages: task.stages,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct WorkspaceTask {
    task_id: TaskId,
    status: TaskStatus,
    app_name: AppName,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<TaskResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct WorkspaceTasksResponse {
    workspace_id: WorkspaceId,
    count: usize,
    tasks: Vec<WorkspaceTask>,
}

/// An app name as clients write it: made safe, refused only when nothing is left of it.
pub(super) fn app_name(text: Option<&str>) -> std::result::Result<Option<AppName>, Error> {
    text.map(|text| {
        AppName::from_text(text).ok_or_else(|| {
            Error::validation(
                "app_name",
                "Choose an app name with at least one letter or digit.",
            )
        })
    })
    .transpose()
}

/// `AWS` is the user name only where a password came without one.
fn credentials(username: Option<&str>, password: Option<&str>) -> Option<RegistryCredentials> {
    password.map(|password| RegistryCredentials {
        username: username.unwrap_or("AWS").to_owned(),
        password: password.to_owned(),
    })
}

fn target(
    registry_url: &str,
    tag: Option<&str>,
    with_credentials: bool,
) -> std::result::Result<PushTarget, Error> {
    PushTarget::parse(registry_url, tag.unwrap_or("sha256"), with_credentials)
}

async fn accept(
    services: &Services,
    form: Form,
    push: Option<PushTarget>,
    credentials: Option<RegistryCredentials>,
) -> Result<TaskRecord> {
    let request = BuildUpload {
        workspace: form
            .text("workspace_id")
            .map(WorkspaceId::parse)
            .transpose()?,
        function: form
            .text("function_id")
            .map(FunctionId::parse)
            .transpose()?,
        app_name: app_name(form.text("app_name"))?,
        upload: form.file()?,
        push,
        credentials,
    };
    Ok(services
        .builds
        .build_upload(&Actor::anonymous(), request)
        .await?)
}

/// Build an upload.
///
/// Checks the upload, queues its build to WebAssembly and answers the task at once; follow it at its `Location`. With `function_id` a build
/// that succeeds makes a version. What can be seen without reading the code (no module, several components) is refused right away; the task tells the rest.
#[utoipa::path(
    post, path = "/api/v1/build", operation_id = "build_upload", tag = "builds",
    request_body(content((BuildForm = "multipart/form-data", encoding(("file" = (content_type = "text/x-python, application/zip"))), example = json!({"file": "from spin_sdk.http import IncomingHandler as Base, Request, Response\n\nclass IncomingHandler(Base):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {}, b\"Hello\")\n", "workspace_id": "ws-4mZk0QxT", "function_id": "fn-7pQ2sXaB", "app_name": "approve-payment"})))),
    responses(
        (status = 202, description = "Queued", body = BuildResponse),
        (status = 404, description = "`NOT_FOUND`: the function that it names, or a workspace that is being deleted.", body = Envelope),
    ),
)]
pub async fn build(State(services): State<Services>, form: Form) -> Result<Accepted> {
    let task = accept(&services, form, None, None).await?;
    Ok(BuildResponse::accepted(task, "Build task created"))
}

/// Build an upload and push the image.
///
/// As `POST /api/v1/build`, and then makes the image that `POST /api/v1/deploy` takes: `result.image_url` of the task when it is `done`.
/// Credentials are kept in memory until the push is over, and nowhere else.
#[utoipa::path(
    post, path = "/api/v1/build-and-push", operation_id = "build_and_push", tag = "builds",
    request_body(content((BuildAndPushForm = "multipart/form-data", encoding(("file" = (content_type = "text/x-python, application/zip"))), example = json!({"file": "from spin_sdk.http import IncomingHandler as Base, Request, Response\n\nclass IncomingHandler(Base):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {}, b\"Hello\")\n", "workspace_id": "ws-4mZk0QxT", "function_id": "fn-7pQ2sXaB", "app_name": "approve-payment", "registry_url": "registry.example.com/team/approve"})))),
    responses(
        (status = 202, description = "Queued", body = BuildResponse),
        (status = 404, description = "`NOT_FOUND`: the function that it names, or a workspace that is being deleted.", body = Envelope),
    ),
)]
pub async fn build_and_push(State(services): State<Services>, form: Form) -> Result<Accepted> {
    let registry = form
        .text("registry_url")
        .ok_or_else(|| Error::validation("registry_url", "registry_url is required."))?;
    let credentials = credentials(form.text("username"), form.text("password"));
    let push = target(registry, form.text("tag"), credentials.is_some())?;
    let task = accept(&services, form, Some(push), credentials).await?;
    Ok(BuildResponse::accepted(task, "Build and push task created"))
}

/// Push what was built.
///
/// Queues a push of what a build left, the newest of the workspace or the one at `s3_source_path`, and answers the task. Follow it at its
/// `Location`. An image is sent to a registry only where `BLUE_FAAS_PUSH_HOSTS` lists its host.
#[utoipa::path(
    post, path = "/api/v1/push", operation_id = "push_build", tag = "builds",
    request_body(content = PushRequest, example = json!({"workspace_id": "ws-4mZk0QxT", "registry_url": "registry.example.com/team/approve"})),
    responses(
        (status = 202, description = "Queued", body = BuildResponse),
        (status = 404, description = "`NOT_FOUND`: the workspace or function that it names.", body = Envelope),
    ),
)]
pub async fn push(State(services): State<Services>, fields: Fields) -> Result<Accepted> {
    let text = |name| {
        Ok::<_, Error>(
            fields
                .text(name)?
                .map(str::trim)
                .filter(|text| !text.is_empty()),
        )
    };
    let credentials = credentials(text("username")?, text("password")?);
    let push = target(
        fields.required_text("registry_url")?,
        text("tag")?,
        credentials.is_some(),
    )?;
    let workspace = WorkspaceId::parse(fields.required_text("workspace_id")?)?;
    let task = services
        .builds
        .push(
            &Actor::anonymous(),
            &workspace,
            text("s3_source_path")?,
            push,
            credentials,
        )
        .await?;
    Ok(BuildResponse::accepted(task, "Push task created"))
}

/// The state of a task.
///
/// Ask until `status` is `done`, `failed` or `cancelled`. `result` then names image and component, `error` says what went wrong; `stages`
/// tells how far it is.
#[utoipa::path(
    get, path = "/api/v1/tasks/{id}", operation_id = "get_task", tag = "builds",
    params(TaskPath, TaskQuery),
    responses((status = 200, description = "The task", body = TaskStatusResponse)),
)]
pub async fn read(
    State(services): State<Services>,
    Id(id): Id<TaskId>,
    parameters: Parameters,
) -> Result<Json<TaskStatusResponse>> {
    let workspace = parameters
        .text("workspace_id")
        .map(WorkspaceId::parse)
        .transpose()?;
    Ok(Json(
        services
            .builds
            .get(&Actor::anonymous(), &id, workspace.as_ref())
            .await?
            .into(),
    ))
}

/// The tasks of a workspace.
///
/// Builds and pushes of the workspace. Tasks go with their functions and workspaces.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/tasks", operation_id = "list_tasks", tag = "builds",
    params(WorkspacePath, PageParameters),
    responses((status = 200, description = "Newest first, 100 unless `limit` says otherwise", body = WorkspaceTasksResponse, headers(("Link")))),
)]
pub async fn list(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    Id(workspace): Id<WorkspaceId>,
    parameters: Parameters,
) -> Result<Answer> {
    let query = parameters.page()?;
    let page = services
        .builds
        .list_records(&Actor::anonymous(), &workspace, &query)
        .await?;
    let tasks: Vec<WorkspaceTask> = page
        .rows
        .into_iter()
        .map(|task| WorkspaceTask {
            result: task.result(),
            task_id: task.task_id,
            status: task.status,
            app_name: task.app_name,
            created_at: task.created_at,
            updated_at: task.updated_at,
            error: task.error_message,
        })
        .collect();
    let response = WorkspaceTasksResponse {
        workspace_id: workspace,
        count: tasks.len(),
        tasks,
    };
    let link = parameters.link(uri.path(), page.next.as_deref());
    Ok(Answer::json(&response, link)?)
}

/// Cancel a task.
///
/// A task that waits ends at once, one that runs within seconds: the answer may still say `building`, so ask for it again. One that has
/// ended stays as it is, and is answered all the same.
#[utoipa::path(
    post, path = "/api/v1/tasks/{id}/cancel", operation_id = "cancel_task", tag = "builds",
    params(TaskPath),
    responses((status = 200, description = "The task; one that had ended stays as it was", body = TaskStatusResponse)),
)]
pub async fn cancel(
    State(services): State<Services>,
    Id(id): Id<TaskId>,
) -> Result<Json<TaskStatusResponse>> {
    Ok(Json(
        services
            .builds
            .cancel(&Actor::anonymous(), &id)
            .await?
            .into(),
    ))
}

/// Run a task again.
///
/// Queues the same source as a new task. Only a failed or cancelled one can be run again (409 otherwise), and none that was given
/// credentials, since they are not kept: send that request anew.
#[utoipa::path(
    post, path = "/api/v1/tasks/{id}/retry", operation_id = "retry_task", tag = "builds",
    params(TaskPath),
    responses((status = 202, description = "Queued anew", body = BuildResponse)),
)]
pub async fn retry(State(services): State<Services>, Id(id): Id<TaskId>) -> Result<Accepted> {
    Ok(BuildResponse::accepted(
        services.builds.retry(&Actor::anonymous(), &id).await?,
        "Build task created",
    ))
}
