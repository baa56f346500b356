//! One task from its source to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::Builds;
use super::engine::holds;
use super::output::Output;
use super::record::{TaskKind, TaskRecord};
use crate::model::error::{Error, Result};
use crate::model::id::{TaskId, WorkspaceId};
use crate::model::source::Diagnostic;
use crate::model::task::{StageName, StageStatus, TaskStatus};
use crate::model::time::Timestamp;
use crate::model::version::Artifact;
use crate::port::builder::{BuildError, BuildRequest, Progress as _, RawSource, SourceTree};
use crate::port::keys;
use crate::port::store::{Update, Write};
use crate::service::figures;
use crate::service::table::{blob_error, internal, to_item};

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
            BuildError::LimitReached(message) | BuildError::Registry(message) => Self::Failed {
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
    /// What a task of this workspace built.
    pub(in crate::service) async fn source_of(
        &self,
        workspace: &WorkspaceId,
        task: &TaskId,
    ) -> Result<SourceTree> {
        let record: Option<TaskRecord> = self.table.get(&keys::task(workspace, task)).await?;
        let record = record.ok_or_else(|| Error::not_found("task", task))?;
        Ok(self.read_source(&record).await?)
    }

    pub(super) async fn run_task(
        self: &Arc<Self>,
        mut task: TaskRecord,
        cancel: CancellationToken,
    ) {
        let Ok(sequence) = self.last_sequence(&task.task_id).await else {
            return;
        };
        let begin = Instant::now();
        let _in_progress = figures::build_in_progress();
        let output = Output::new(task.task_id.clone(), sequence);
        if sequence > 0 {
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
        let result = match &end {
            Ok(()) => "done",
            Err(Stopped::Cancelled) => "cancelled",
            Err(_) if cancel.is_cancelled() => "cancelled",
            Err(Stopped::Failed { .. } | Stopped::Trouble(_)) => "failed",
        };
        figures::built(result, begin.elapsed());
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

    async fn steps(
        &self,
        task: &mut TaskRecord,
        output: &Arc<Output>,
        cancel: &CancellationToken,
    ) -> Result<(), Stopped> {
        let artifact = match (&task.artifact, task.kind) {
            (Some(artifact), TaskKind::Push) => artifact.clone(),
            _ => self.build(task, output, cancel).await?,
        };
        task.artifact = Some(artifact.clone());
        // Who only builds wants a component; else there is one where somebody took it, and what is stored is named.
        let stored = if task.kind == TaskKind::Build {
            self.builder.portable(&artifact).await?
        } else {
            artifact.clone()
        };
        task.wasm_path = Some(self.blobs.url(&stored.key));
        if let Some(function) = task.function_id.clone()
            && task.kind != TaskKind::Push
        {
            task.version = Some(self.make_version(task, &function, &artifact).await?);
        }
        if task.kind != TaskKind::Build {
            self.push_image(task, artifact, output, cancel).await?;
        }
        if task.deploy.is_some() {
            self.deploy(task, output).await?;
        }
        Ok(())
    }

    async fn build(
        &self,
        task: &TaskRecord,
        output: &Arc<Output>,
        cancel: &CancellationToken,
    ) -> Result<Artifact, Stopped> {
        output.stage(StageName::Validate);
        let source = self.read_source(task).await?;
        let cache_key = self.builder.cache_key(&source);
        let earlier: Option<Artifact> = self.table.get(&keys::built_source(&cache_key)).await?;
        if let Some(artifact) = earlier
            && self.blobs.exists(&artifact.key).await.map_err(blob_error)?
        {
            output.stage(StageName::Build);
            output.line(
                StageName::Build,
                "This source was built before; its artifact is used again.",
            );
            self.prepare(&artifact).await?;
            return Ok(artifact);
        }
        let request = BuildRequest {
            task_id: task.task_id.clone(),
            workspace_id: task.workspace_id.clone(),
            function_id: task.function_id.clone(),
            app_name: task.app_name.clone(),
            source,
        };
        let building = self.builder.build(request, output.as_ref(), cancel);
        let built = building.instrument(tracing::debug_span!("build")).await?;
        if !built.artifact.is_image() {
            output.line(StageName::Build, "Compiling to native code");
        }
        self.prepare(&built.artifact).await?;
        self.table
            .write(Write::put(
                keys::built_source(&cache_key),
                to_item(&built.artifact)?,
            ))
            .await?;
        Ok(built.artifact)
    }

    async fn prepare(&self, artifact: &Artifact) -> Result<(), Stopped> {
        self.platform
            .prepare(artifact)
            .instrument(tracing::debug_span!("prepare"))
            .await
            .map_err(|cause| Stopped::Trouble(internal("BUILD_ERROR", cause)))
    }

    async fn read_source(&self, task: &TaskRecord) -> Result<SourceTree, Stopped> {
        let key = task
            .source_key
            .as_deref()
            .ok_or_else(|| internal("BUILD_ERROR", "the task has no source"))?;
        let content = self
            .blobs
            .get(key, task.source_sha256.as_deref())
            .await
            .map_err(blob_error)?;
        let is_package = std::path::Path::new(key)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        let raw = if is_package {
            RawSource::Package { archive: content }
        } else {
            RawSource::File {
                name: "app.py".to_owned(),
                content,
            }
        };
        let (mut tree, _) = self.builder.read_source(raw).await?;
        if let Some(entry) = &task.entry_key {
            let module = self.blobs.get(entry, None).await.map_err(blob_error)?;
            tree.files.insert(tree.entry.clone(), module);
        }
        Ok(tree)
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
            task.stages = stored.stages;
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
