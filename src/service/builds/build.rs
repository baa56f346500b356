//! What is made of a task's source.

use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Builds;
use super::job::TaskJob;
use super::output::Output;
use super::record::{TaskKind, TaskRecord};
use super::run::Stopped;
use crate::model::deployment::ImageRef;
use crate::model::error::{Error, Result};
use crate::model::id::{TaskId, WorkspaceId};
use crate::model::task::StageName;
use crate::model::version::Artifact;
use crate::port::builder::{BuildRequest, Destination, Progress as _, RawSource, SourceTree};
use crate::port::keys;
use crate::port::store::Write;
use crate::service::table::{blob_error, internal, to_item};

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

    /// Builds, unless the same source was built before, and notes on the task what came of it.
    pub(super) async fn build(
        &self,
        task: &mut TaskRecord,
        output: &Arc<Output>,
        cancel: &CancellationToken,
    ) -> Result<(), Stopped> {
        output.stage(StageName::Validate);
        let source = self.read_source(task).await?;
        let cache_key = self.builder.cache_key(&source);
        if let Some(artifact) = self.built_before(cache_key.as_deref()).await? {
            output.stage(StageName::Build);
            output.line(
                StageName::Build,
                "This source was built before; its artifact is used again.",
            );
            self.prepare(&artifact).await?;
            task.artifact = Some(artifact);
            return Ok(());
        }
        let push = match task.kind {
            TaskKind::Build => None,
            TaskKind::BuildAndPush | TaskKind::Push | TaskKind::Deploy => {
                Some(self.destination(task)?)
            }
        };
        let request = BuildRequest {
            task_id: task.task_id.clone(),
            workspace_id: task.workspace_id.clone(),
            function_id: task.function_id.clone(),
            app_name: task.app_name.clone(),
            source,
            push,
        };
        let job = TaskJob::new(&self.table, task);
        let building = self.builder.build(request, output.as_ref(), &job, cancel);
        let built = building.instrument(tracing::debug_span!("build")).await?;
        if let Some(artifact) = &built.artifact {
            if !artifact.is_image() {
                output.line(StageName::Build, "Compiling to native code");
            }
            self.prepare(artifact).await?;
            if let Some(cache_key) = cache_key {
                self.table
                    .write(Write::put(
                        keys::built_source(&cache_key),
                        to_item(artifact)?,
                    ))
                    .await?;
            }
        }
        task.artifact = built.artifact;
        task.wasm_path = built.wasm_path;
        task.image_url = match built.pushed {
            Some(pushed) => Some(ImageRef::parse(&pushed.image_ref)?.to_string()),
            None => None,
        };
        Ok(())
    }

    async fn built_before(&self, cache_key: Option<&str>) -> Result<Option<Artifact>, Stopped> {
        let Some(cache_key) = cache_key else {
            return Ok(None);
        };
        let earlier: Option<Artifact> = self.table.get(&keys::built_source(cache_key)).await?;
        match earlier {
            Some(artifact) if self.blobs.exists(&artifact.key).await.map_err(blob_error)? => {
                Ok(Some(artifact))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Where a task's image goes. Credentials that are gone are no obstacle to a job that has them.
    pub(super) fn destination(&self, task: &TaskRecord) -> Result<Destination, Stopped> {
        let target = self.push_target(task);
        let credentials = self.credentials_of(&task.task_id);
        if target.with_credentials && credentials.is_none() && task.job.is_none() {
            let message = "The server that had the registry credentials of this task is gone, and they are never stored. Send the request again with them.".to_owned();
            return Err(Stopped::Failed {
                message,
                diagnostics: Vec::new(),
            });
        }
        Ok(Destination {
            registry_url: target.registry_url,
            tag: target.tag,
            credentials,
        })
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
}
