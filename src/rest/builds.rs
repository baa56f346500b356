//! Build tasks below `/api/v1`

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use std::convert::Infallible;

use super::error::Result;
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

#[derive(Serialize)]
pub struct BuildResponse {
    task_id: TaskId,
    status: TaskStatus,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_s3_path: Option<String>,
}

impl BuildResponse {
    fn accepted(task: TaskRecord, message: &'static str) -> (StatusCode, Json<Self>) {
        (
            StatusCode::ACCEPTED,
            Json(Self {
                task_id: task.task_id,
                status: task.status,
                message,
                source_s3_path: task.source_code_path,
            }),
        )
    }
}

#[derive(Serialize)]
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

#[derive(Serialize)]
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

#[derive(Serialize)]
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

pub async fn build(
    State(services): State<Services>,
    form: Form,
) -> Result<(StatusCode, Json<BuildResponse>)> {
    let task = accept(&services, form, None, None).await?;
    Ok(BuildResponse::accepted(task, "Build task created"))
}

pub async fn build_and_push(
    State(services): State<Services>,
    form: Form,
) -> Result<(StatusCode, Json<BuildResponse>)> {
    let registry = form
        .text("registry_url")
        .ok_or_else(|| Error::validation("registry_url", "registry_url is required."))?;
    let credentials = credentials(form.text("username"), form.text("password"));
    let push = target(registry, form.text("tag"), credentials.is_some())?;
    let task = accept(&services, form, Some(push), credentials).await?;
    Ok(BuildResponse::accepted(task, "Build and push task created"))
}

pub async fn push(
    State(services): State<Services>,
    fields: Fields,
) -> Result<(StatusCode, Json<BuildResponse>)> {
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

pub async fn list(
    State(services): State<Services>,
    Id(workspace): Id<WorkspaceId>,
) -> Result<Json<WorkspaceTasksResponse>> {
    let tasks = services
        .builds
        .list_records(&Actor::anonymous(), &workspace)
        .await?;
    let tasks: Vec<WorkspaceTask> = tasks
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
    Ok(Json(WorkspaceTasksResponse {
        workspace_id: workspace,
        count: tasks.len(),
        tasks,
    }))
}

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

pub async fn retry(
    State(services): State<Services>,
    Id(id): Id<TaskId>,
) -> Result<(StatusCode, Json<BuildResponse>)> {
    Ok(BuildResponse::accepted(
        services.builds.retry(&Actor::anonymous(), &id).await?,
        "Build task created",
    ))
}

/// Text, or server-sent events where they are asked for: `line` with the line's number as id, `stages` on every change, `end` at the end.
pub async fn log(
    State(services): State<Services>,
    Id(id): Id<TaskId>,
    headers: HeaderMap,
) -> Result<Response> {
    let wants_events = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/event-stream"));
    let actor = Actor::anonymous();
    if wants_events {
        services.builds.get(&actor, &id, None).await?;
        let after = headers
            .get("last-event-id")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        return Ok(Sse::new(events(services, id, after))
            .keep_alive(KeepAlive::default())
            .into_response());
    }
    let (_, lines) = services.builds.progress(&actor, &id, 0).await?;
    let mut text = String::new();
    for line in lines {
        use std::fmt::Write as _;
        let _ = writeln!(text, "{} [{}] {}", line.at, line.stage.as_str(), line.text);
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

struct Following {
    services: Services,
    id: TaskId,
    after: u64,
    stages: Vec<Stage>,
    queue: std::collections::VecDeque<Event>,
    ended: bool,
}

fn events(
    services: Services,
    id: TaskId,
    after: u64,
) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
    let following = Following {
        services,
        id,
        after,
        stages: Vec::new(),
        queue: std::collections::VecDeque::new(),
        ended: false,
    };
    futures::stream::unfold(following, |mut following| async move {
        loop {
            if let Some(event) = following.queue.pop_front() {
                return Some((Ok(event), following));
            }
            if following.ended {
                return None;
            }
            following.look().await;
        }
    })
}

impl Following {
    async fn look(&mut self) {
        let Ok((task, lines)) = self
            .services
            .builds
            .progress(&Actor::anonymous(), &self.id, self.after)
            .await
        else {
            self.ended = true;
            return;
        };
        for line in lines {
            self.after = line.sequence;
            self.queue.extend(
                Event::default()
                    .event("line")
                    .id(line.sequence.to_string())
                    .json_data(&line)
                    .ok(),
            );
        }
        if task.stages != self.stages {
            self.stages.clone_from(&task.stages);
            self.queue.extend(
                Event::default()
                    .event("stages")
                    .json_data(&task.stages)
                    .ok(),
            );
        }
        if task.status.is_terminal() {
            self.ended = true;
            self.queue
                .extend(Event::default().event("end").json_data(task.status).ok());
        } else if self.queue.is_empty() {
            self.services.builds.wait_for_news().await;
        }
    }
}
