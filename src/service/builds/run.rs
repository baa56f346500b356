//! One task from its source to its end.

use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Builds;
use super::engine::holds;
use super::output::Output;
use super::record::{PushTarget, TaskKind, TaskRecord};
use crate::model::deployment::ImageRef;
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::id::{DeploymentId, FunctionId};
use crate::model::source::Diagnostic;
use crate::model::task::{StageName, StageStatus, TaskStatus};
use crate::model::time::Timestamp;
use crate::model::version::{Artifact, Version};
use crate::port::builder::{
    BuildError, BuildRequest, Progress as _, PushRequest, RawSource, SourceTree,
};
use crate::port::keys;
use crate::port::store::{Condition, Update, Write};
use crate::service::actor::Actor;
use crate::service::deployments::DeployRequest;
use crate::service::deployments::record::ImageRecord;
use crate::service::functions::FunctionRecord;
use crate::service::table::{blob_error, internal, to_item};

/// How often output and stages are written while a task runs.
const WRITE_INTERVAL: Duration = Duration::from_millis(200);

/// Why a task did not reach its end.
enum Stopped {
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
        task.wasm_path = Some(self.blobs.url(&artifact.portable_key()));
        if let Some(function) = task.function_id.clone()
            && task.kind != TaskKind::Push
        {
            task.version = Some(self.make_version(task, &function, &artifact).await?);
        }
        if task.kind == TaskKind::Build && task.function_id.is_none() {
            // Without a function the component is what was asked for.
            self.builder.portable(&artifact).await?;
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
        let built = self.builder.build(request, output.as_ref(), cancel).await?;
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

    /// The version of this task, made once however often the task runs.
    async fn make_version(
        &self,
        task: &TaskRecord,
        function: &FunctionId,
        artifact: &Artifact,
    ) -> Result<u32, Stopped> {
        if let Some(number) = task.version {
            return Ok(number);
        }
        let key = keys::function(&task.workspace_id, function);
        for _ in 0..32 {
            let Some(record) = self.table.get::<FunctionRecord>(&key).await? else {
                return Err(Stopped::Failed {
                    message: "The function was deleted while it was built.".to_owned(),
                    diagnostics: Vec::new(),
                });
            };
            let number = record.versions as u32 + 1;
            let version = Version {
                function_id: function.clone(),
                number,
                source: task
                    .source
                    .clone()
                    .unwrap_or_else(|| record.source_summary()),
                source_key: task.source_key.clone().unwrap_or_default(),
                configuration: task
                    .configuration
                    .clone()
                    .unwrap_or_else(|| record.configuration()),
                image_ref: image_name(task),
                artifact: artifact.clone(),
                task_id: task.task_id.clone(),
                by: task.by.clone(),
                at: Timestamp::now(),
            };
            let same = if record.versions == 0.0 {
                Condition::Any(vec![
                    Condition::Missing("versions".to_owned()),
                    Condition::Equals("versions".to_owned(), 0.into()),
                ])
            } else {
                Condition::Equals("versions".to_owned(), record.versions.into())
            };
            let writes = vec![
                Write::create(keys::version(function, number), to_item(&version)?),
                Write::Update(
                    Update::new(key.clone())
                        .set("versions", f64::from(number))
                        .when(Condition::All(vec![
                            same,
                            Condition::Missing("deleting".to_owned()),
                        ])),
                ),
                Write::Update(
                    Update::new(keys::task(&task.workspace_id, &task.task_id))
                        .set("version", number)
                        .when(holds(task)),
                ),
            ];
            if self.table.try_transact(writes, None).await? {
                return Ok(number);
            }
            // Another build of this function finished in between, or this task has a new owner.
            let current: Option<TaskRecord> = self
                .table
                .get(&keys::task(&task.workspace_id, &task.task_id))
                .await?;
            if current.is_none_or(|current| (current.fence - task.fence).abs() > f64::EPSILON) {
                return Err(Stopped::Cancelled);
            }
        }
        Err(Stopped::Trouble(Error::overloaded(
            "Too many builds of this function end at the same time.",
        )))
    }

    async fn push_image(
        &self,
        task: &mut TaskRecord,
        artifact: Artifact,
        output: &Arc<Output>,
        cancel: &CancellationToken,
    ) -> Result<(), Stopped> {
        output.stage(StageName::Push);
        let target = push_target(task);
        let credentials = self
            .credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&task.task_id)
            .cloned();
        if target.with_credentials && credentials.is_none() {
            let message = "The server restarted and registry credentials are never stored. Send the push again with them.".to_owned();
            return Err(Stopped::Failed {
                message,
                diagnostics: Vec::new(),
            });
        }
        let request = PushRequest {
            task_id: task.task_id.clone(),
            app_name: task.app_name.clone(),
            artifact: artifact.clone(),
            registry_url: target.registry_url,
            tag: target.tag,
            credentials,
        };
        let pushed = self.builder.push(request, output.as_ref(), cancel).await?;
        let image_ref = ImageRef::parse(&pushed.image_ref)?;
        let image = ImageRecord {
            image_ref: image_ref.clone(),
            task_id: task.task_id.clone(),
            workspace_id: task.workspace_id.clone(),
            function_id: task.function_id.clone(),
            version: task.version,
            artifact,
            source_sha256: task
                .source
                .as_ref()
                .map(|source| source.sha256.clone())
                .unwrap_or_default(),
            configuration: task.configuration.clone(),
        };
        self.table
            .write(Write::put(keys::image(&image_ref), to_item(&image)?))
            .await?;
        output.line(StageName::Push, &format!("Image {image_ref}"));
        task.image_url = Some(image_ref.to_string());
        Ok(())
    }

    async fn deploy(&self, task: &mut TaskRecord, output: &Arc<Output>) -> Result<(), Stopped> {
        let (Some(plan), Some(image)) = (task.deploy.clone(), task.image_url.clone()) else {
            return Ok(());
        };
        output.stage(StageName::Deploy);
        output.line(
            StageName::Deploy,
            &format!("Starting {} in {}", plan.app_name, plan.namespace),
        );
        let request = DeployRequest {
            app_name: Some(plan.app_name),
            namespace: plan.namespace,
            image_ref: ImageRef::parse(image)?,
            options: plan.options,
            function_id: task.function_id.clone(),
            id: Some(DeploymentId::parse(task.task_id.as_str())?),
        };
        let outcome = self
            .deployments
            .deploy(&Actor::of_record(&task.by), request)
            .await
            .map_err(|error| match error.kind {
                ErrorKind::Internal => Stopped::Trouble(error),
                _ => Stopped::Failed {
                    message: error.message,
                    diagnostics: Vec::new(),
                },
            })?;
        output.stage(StageName::Ready);
        for warning in &outcome.warnings {
            output.line(StageName::Ready, warning);
        }
        if let Some(endpoint) = &outcome.deployment.endpoint {
            output.line(StageName::Ready, &format!("Serving at {endpoint}"));
        }
        task.app_name = outcome.deployment.app_name;
        task.deployed = true;
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

/// Without a registry the image is known by the app's name alone.
fn push_target(task: &TaskRecord) -> PushTarget {
    let mut target = task.push.clone().unwrap_or_else(|| PushTarget {
        registry_url: format!("local/{}", task.app_name),
        tag: String::new(),
        with_credentials: false,
    });
    // `sha256` is what older clients send to say that any tag will do.
    if target.tag.is_empty() || target.tag == "sha256" {
        target.tag = format!("task-{}", task.task_id);
    }
    target
}

fn image_name(task: &TaskRecord) -> String {
    let target = push_target(task);
    format!("{}:{}", target.registry_url, target.tag)
}
