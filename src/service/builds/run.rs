//! One task from its source to its end.

use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Builds;
use super::engine::holds;
use super::output::Output;
use super::record::TaskRecord;
use crate::model::error::{Error, Result};
use crate::model::source::Diagnostic;
use crate::model::task::{StageName, StageStatus, TaskStatus};
use crate::model::time::Timestamp;
use crate::port::builder::{BuildError, Progress as _};
use crate::port::keys;
use crate::port::store::Update;
use crate::service::table::internal;

/// How often output and stages are written while a task runs.
const WRITE_INTERVAL: Duration = Duration::from_millis(200);

/// Why a task did not reach its end.
pub(super) enum Stopped {
    Failed {
        message: String,
        diagnostics: Vec<Diagnostic>,
    },
    Cancelled,
    /// The server's trouble, not the source's: the text is logged, a generic one is shown.
    Trouble(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Trouble(error)
    }
}

impl From<BuildError> for Stopped {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Source {
                message,
                diagnostics,
            } => Self::Failed {
                message,
                diagnostics,
            },
            BuildError::LimitReached(message)
            | BuildError::Registry(message)
            | BuildError::Unavailable(message) => Self::Failed {
                message,
                diagnostics: Vec::new(),
            },
            BuildError::Cancelled => Self::Cancelled,
            BuildError::Failed(cause) => Self::Trouble(internal("BUILD_ERROR", cause)),
        }
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Failed { message, .. } => Self::conflict(message),
            Stopped::Cancelled => Self::conflict("Cancelled."),
            Stopped::Trouble(error) => error,
        }
    }
}

impl Builds {
    pub(super) async fn run_task(
        self: &Arc<Self>,
        mut task: TaskRecord,
        cancel: CancellationToken,
    ) {
        let Ok(sequence) = self.last_sequence(&task.task_id).await else {
            return;
        };
        let output = Output::new(task.task_id.clone(), sequence);
        // A job elsewhere has gone on meanwhile.
        if sequence > 0 && task.job.is_none() {
            output.line(
                StageName::Validate,
                "The server stopped in the middle of this build; it starts again.",
            );
        }
        let done = CancellationToken::new();
        let following = self
            .clone()
            .follow(task.clone(), output.clone(), done.clone());
        // Dropped with this future: an owner that gives its task back writes no more.
        let writer = AbortOnDropHandle::new(tokio::spawn(following));
        let work = tokio::time::timeout(
            self.settings.timeout,
            self.steps(&mut task, &output, &cancel),
        )
        .await;
        done.cancel();
        // What it has taken from the output it also writes, before the end is written.
        let _ = writer.await;
        let end = match work {
            Ok(Ok(())) => Ok(()),
            Ok(Err(stopped)) => Err(stopped),
            Err(_) => Err(Stopped::Failed {
                message: format!(
                    "The build took longer than {} s and was stopped. Look for a loop or a slow download in what runs at import.",
                    self.settings.timeout.as_secs()
                ),
                diagnostics: Vec::new(),
            }),
        };
        self.end(task, &output, end, cancel.is_cancelled()).await;
    }

    /// Writes output and stages while the task runs, so that every viewer sees them.
    async fn follow(
        self: Arc<Self>,
        mut task: TaskRecord,
        output: Arc<Output>,
        done: CancellationToken,
    ) {
        while done
            .run_until_cancelled(output.changed.notified())
            .await
            .is_some()
        {
            if let Err(error) = self.write_progress(&mut task, &output).await {
                tracing::warn!(task = %task.task_id, %error, "a build's progress could not be written");
            }
            done.run_until_cancelled(tokio::time::sleep(WRITE_INTERVAL))
                .await;
        }
    }

    async fn write_progress(&self, task: &mut TaskRecord, output: &Output) -> Result<()> {
        output.write_lines(&self.table).await?;
        let stages = output.take_stages();
        if !stages.is_empty() {
            for (name, at) in stages {
                task.enter_stage(name, at);
                task.status = if name >= StageName::Push {
                    TaskStatus::Pushing
                } else {
                    TaskStatus::Building
                };
            }
            let stages = serde_json::to_value(&task.stages)
                .map_err(|cause| internal("STORE_ERROR", cause))?;
            let update = Update::new(keys::task(&task.workspace_id, &task.task_id))
                .set("status", task.status.as_str())
                .set("stages", stages)
                .set("updated_at", Timestamp::now().to_string())
                .when(holds(task));
            let _: Option<serde_json::Value> = self.table.try_update(update).await?;
        }
        self.news.notify_waiters();
        Ok(())
    }

    async fn end(
        &self,
        mut task: TaskRecord,
        output: &Arc<Output>,
        end: Result<(), Stopped>,
        cancelled: bool,
    ) {
        let now = Timestamp::now();
        // What the writer has not taken yet; its copy of the stages may be newer than ours.
        if let Ok(Some(stored)) = self
            .table
            .get::<TaskRecord>(&keys::task(&task.workspace_id, &task.task_id))
            .await
        {
            if (stored.fence - task.fence).abs() > f64::EPSILON {
                tracing::warn!(task = %task.task_id, "a build's end is dropped: the task has another owner");
                return;
            }
            task.stages = stored.stages;
            task.job = stored.job;
        }
        for (name, at) in output.take_stages() {
            task.enter_stage(name, at);
        }
        match end {
            Ok(()) => {
                task.status = TaskStatus::Done;
                task.end_running(StageStatus::Done, now);
            }
            Err(Stopped::Cancelled) => set_cancelled(&mut task, now),
            Err(_) if cancelled => set_cancelled(&mut task, now),
            Err(Stopped::Failed {
                message,
                diagnostics,
            }) => set_failed(&mut task, message, diagnostics, now),
            Err(Stopped::Trouble(error)) => set_failed(&mut task, error.message, Vec::new(), now),
        }
        task.updated_at = now;
        if let Some(message) = &task.error_message {
            let stage = task
                .stages
                .iter()
                .rev()
                .find(|stage| stage.ended_at.is_some())
                .map_or(StageName::Validate, |stage| stage.name);
            for line in message.lines() {
                output.line(stage, line);
            }
        }
        if let Err(error) = output.write_lines(&self.table).await {
            tracing::warn!(task = %task.task_id, %error, "the end of a build's output could not be written");
        }
        self.finish_with_patience(&task).await;
    }

    /// A build's result must not be lost to a store that is away for a moment.
    async fn finish_with_patience(&self, task: &TaskRecord) {
        let mut pause = Duration::from_millis(100);
        loop {
            match self.finish(task, Some(holds(task))).await {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(task = %task.task_id, "a build's end is dropped: the task has another owner or is gone");
                    return;
                }
                Err(error) if pause < Duration::from_secs(10) => {
                    tracing::warn!(task = %task.task_id, %error, "a build's end could not be written; trying again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => {
                    tracing::error!(task = %task.task_id, %error, "a build's end could not be written; the task starts again when its lease ends");
                    return;
                }
            }
        }
    }
}

fn set_cancelled(task: &mut TaskRecord, now: Timestamp) {
    task.status = TaskStatus::Cancelled;
    task.error_message = Some("Cancelled.".to_owned());
    task.end_running(StageStatus::Skipped, now);
}

fn set_failed(
    task: &mut TaskRecord,
    message: String,
    diagnostics: Vec<Diagnostic>,
    now: Timestamp,
) {
    task.status = TaskStatus::Failed;
    task.error_message = Some(message);
    task.diagnostics = diagnostics;
    task.end_running(StageStatus::Failed, now);
}
