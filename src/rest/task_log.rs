//! The output of a build task, whole or as it is written

use axum::Extension;
use axum::extract::State;
use axum::response::sse::Event;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};

use super::accept::prefers;
use super::description::parameters::{LastEventId, TaskPath};
use super::error::Result;
use super::extract::Id;
use super::live::{EVENTS, Follow, Streams, last_event_id};
use crate::model::id::TaskId;
use crate::model::task::Stage;
use crate::service::Services;
use crate::service::actor::Actor;

/// The output of a task.
///
/// Text as it stands, or, with `Accept: text/event-stream`, events from the first line on: `line` with the line's number as id, `stages` on
/// every change, `end` with the final status. Send the last id as `Last-Event-ID` to go on after a break.
#[utoipa::path(
    get, path = "/api/v1/tasks/{id}/log", operation_id = "get_task_log", tag = "builds",
    params(TaskPath, LastEventId),
    responses((status = 200, description = "The output so far; with `Accept: text/event-stream` events `line` (with the line's number as id), `stages` and `end`", content(
            (String = "text/plain; charset=utf-8"),
            (String = "text/event-stream"),
        ))),
)]
pub async fn read(
    State(services): State<Services>,
    Extension(streams): Extension<Streams>,
    Id(id): Id<TaskId>,
    headers: HeaderMap,
) -> Result<Response> {
    let actor = Actor::anonymous();
    if prefers(&headers, EVENTS, "text/plain") {
        services.builds.get(&actor, &id, None).await?;
        let last = last_event_id(&headers).and_then(|text| text.parse().ok());
        let following = Following {
            services,
            id,
            after: last.unwrap_or(0),
            stages: Vec::new(),
            ended: false,
        };
        let following = std::future::ready(Ok(following));
        return Ok(streams.events(following).await?);
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
    ended: bool,
}

impl Follow for Following {
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            if self.ended {
                return None;
            }
            let news = self.look().await?;
            if !news.is_empty() {
                return Some(news);
            }
            self.services.builds.wait_for_news().await;
        }
    }
}

impl Following {
    /// What came since the last look; `None` when the task is gone.
    async fn look(&mut self) -> Option<Vec<Event>> {
        let (builds, actor) = (&self.services.builds, Actor::anonymous());
        let progress = builds.progress(&actor, &self.id, self.after);
        let (task, lines) = progress.await.ok()?;
        let mut news = Vec::new();
        for line in lines {
            self.after = line.sequence;
            let event = Event::default().event("line");
            news.extend(event.id(line.sequence.to_string()).json_data(&line).ok());
        }
        if task.stages != self.stages {
            self.stages.clone_from(&task.stages);
            let event = Event::default().event("stages");
            news.extend(event.json_data(&task.stages).ok());
        }
        if task.status.is_terminal() {
            self.ended = true;
            news.extend(Event::default().event("end").json_data(task.status).ok());
        }
        Some(news)
    }
}
