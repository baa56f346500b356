//! Deletions that can be taken up again, and what is kept for how long.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::actor::Actor;
use super::builds::Builds;
use super::builds::record::TaskRecord;
use super::deployments::Deployments;
use super::deployments::record::AppRecord;
use super::executions::recorder::Recorder;
use super::functions::{FunctionRecord, Functions};
use super::key_values::StoredKeyValues;
use super::table::{Table, blob_error, store_error};
use super::versions::marks::Marks;
use super::workspaces::Workspaces;
use crate::model::deployment::ImageRef;
use crate::model::error::Result;
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::version::Version;
use crate::port::blobs::Blobs;
use crate::port::keys::{self, EXECUTION_PREFIX};
use crate::port::platform::Platform;
use crate::port::store::{Key, Query, Store, Write};

/// How often expired items are removed and limits are looked at.
const INTERVAL: Duration = Duration::from_mins(1);
/// Seconds after which a deployment that is under way has lost its server.
const LONGEST_DEPLOYMENT: i64 = 1_800;
/// Rounds between two collections of what no record names.
const COLLECT_EVERY: u32 = 30;
/// Seconds during which a new object may not be named by a record yet.
const GRACE: i64 = 3_600;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct RetentionSettings {
    pub days: u32,
    /// Versions kept per function; what serves, is labelled or pinned is kept in addition.
    pub versions: usize,
    /// Bytes on disk at most.
    pub max_data: Option<u64>,
}

/// What retention works on.
pub struct RetentionParts {
    pub store: Arc<dyn Store>,
    pub blobs: Arc<dyn Blobs>,
    pub platform: Arc<dyn Platform>,
    pub workspaces: Arc<Workspaces>,
    pub functions: Arc<Functions>,
    pub builds: Arc<Builds>,
    pub deployments: Arc<Deployments>,
    pub key_values: Arc<StoredKeyValues>,
    pub recorder: Recorder,
}

pub struct Retention {
    table: Table,
    parts: RetentionParts,
    settings: RetentionSettings,
}

impl Retention {
    pub fn new(parts: RetentionParts, settings: RetentionSettings) -> Arc<Self> {
        Arc::new(Self {
            table: Table::new(parts.store.clone()),
            parts,
            settings,
        })
    }

    /// Deletes a function with its apps, tasks, versions, executions, code, values and counters.
    pub async fn delete_function(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<()> {
        self.parts.functions.record(workspace, id).await?;
        self.parts.functions.mark_deleting(workspace, id).await?;
        self.finish_function(workspace, id).await
    }

    async fn finish_function(&self, workspace: &WorkspaceId, id: &FunctionId) -> Result<()> {
        for app in self.parts.deployments.apps_of(id).await? {
            self.parts.deployments.remove_app(&app).await?;
        }
        self.parts.builds.remove(workspace, Some(id)).await?;
        // What was recorded before the mark is written before it is deleted.
        self.parts.recorder.flush().await;
        self.parts.key_values.remove_owner(id.as_str()).await?;
        self.parts.functions.remove(workspace, id).await
    }

    /// Deletes a workspace with all that is in it.
    pub async fn delete_workspace(&self, _actor: &Actor, id: &WorkspaceId) -> Result<()> {
        self.parts.workspaces.record(id).await?;
        self.parts.workspaces.mark_deleting(id).await?;
        self.finish_workspace(id).await
    }

    async fn finish_workspace(&self, id: &WorkspaceId) -> Result<()> {
        for function in self.all_functions(id).await? {
            self.parts.functions.mark_deleting(id, &function.id).await?;
            self.finish_function(id, &function.id).await?;
        }
        self.parts.builds.remove(id, None).await?;
        self.parts.workspaces.remove(id).await?;
        self.table
            .delete_partition(&keys::workspace_partition(id), "")
            .await
    }

    async fn all_functions(&self, workspace: &WorkspaceId) -> Result<Vec<FunctionRecord>> {
        self.table
            .all(Query::prefix(
                keys::workspace_partition(workspace),
                keys::FUNCTION_PREFIX,
            ))
            .await
    }

    async fn workspaces(&self) -> Result<Vec<WorkspaceId>> {
        let workspaces = self.parts.workspaces.list(&Actor::system()).await?;
        Ok(workspaces
            .into_iter()
            .map(|workspace| workspace.id)
            .collect())
    }

    /// Frees functions whose deployment ended with its server; called before this one answers. Where others serve too, one that began
    /// lately may be theirs.
    pub async fn recover_functions(&self) -> Result<()> {
        let now = Timestamp::now();
        let until = if self.table.is_exclusive() {
            now
        } else {
            now.plus_seconds(-LONGEST_DEPLOYMENT)
        };
        for workspace in self.workspaces().await? {
            let functions = self.all_functions(&workspace).await?;
            for function in functions
                .into_iter()
                .filter(|function| function.work.is_some())
            {
                let task = match &function.task_id {
                    Some(id) => self
                        .parts
                        .builds
                        .get(&Actor::system(), id, Some(&workspace))
                        .await
                        .ok(),
                    None => None,
                };
                // A task that is not done is taken up again, and then frees its function.
                if task.is_none_or(|task| task.status.is_terminal()) {
                    self.parts.deployments.recover(&function, until).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes up deletions that a stopped server left.
    pub async fn resume_deletions(&self) -> Result<()> {
        for workspace in self.parts.workspaces.deleting().await? {
            self.finish_workspace(&workspace).await?;
        }
        for workspace in self.workspaces().await? {
            for function in self
                .all_functions(&workspace)
                .await?
                .into_iter()
                .filter(|function| function.deleting)
            {
                self.finish_function(&workspace, &function.id).await?;
            }
        }
        Ok(())
    }

    /// Keeps limits until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut round = 0_u32;
        loop {
            if let Err(error) = self.round(round).await {
                tracing::warn!(%error, "retention could not finish a round");
            }
            round = round.wrapping_add(1);
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn round(&self, round: u32) -> Result<()> {
        if round.is_multiple_of(COLLECT_EVERY) {
            self.resume_deletions().await?;
            if !self.table.is_exclusive() {
                self.recover_functions().await?;
            }
            self.drop_old_tasks().await?;
            self.drop_old_versions().await?;
            self.collect_artifacts(Timestamp::now().seconds() - GRACE, false)
                .await?;
        }
        let now = Timestamp::now().seconds();
        while self
            .parts
            .store
            .purge_expired(now, 1_000)
            .await
            .map_err(store_error)?
            == 1_000
        {}
        self.keep_disk_limit().await
    }

    async fn drop_old_tasks(&self) -> Result<()> {
        let oldest = Timestamp::now().plus_seconds(-i64::from(self.settings.days) * 86_400);
        for workspace in self.workspaces().await? {
            let tasks: Vec<TaskRecord> = self
                .table
                .all(Query::prefix(
                    keys::workspace_partition(&workspace),
                    keys::TASK_PREFIX,
                ))
                .await?;
            for task in tasks.into_iter().filter(|task| {
                task.status.is_terminal() && task.updated_at < oldest && task.version.is_none()
            }) {
                self.table
                    .delete_partition(&keys::task_partition(&task.task_id), "")
                    .await?;
                let folder = format!("build-sources/{workspace}/{}/", task.task_id);
                for blob in self.parts.blobs.list(&folder).await.map_err(blob_error)? {
                    self.parts
                        .blobs
                        .delete(&blob.key)
                        .await
                        .map_err(blob_error)?;
                }
                self.table
                    .write(Write::delete(keys::task(&workspace, &task.task_id)))
                    .await?;
            }
        }
        Ok(())
    }

    async fn drop_old_versions(&self) -> Result<()> {
        let serving = self.serving_images().await?;
        for workspace in self.workspaces().await? {
            for function in self.all_functions(&workspace).await? {
                let versions: Vec<Version> = self
                    .table
                    .all(
                        Query::prefix(keys::function_partition(&function.id), keys::VERSION_PREFIX)
                            .newest_first(),
                    )
                    .await?;
                let marks = Marks::of(&self.table, &function.id).await?;
                for version in versions.into_iter().skip(self.settings.versions) {
                    if marks.keep(version.number) || serving.contains(version.image_ref.as_str()) {
                        continue;
                    }
                    let mut writes = vec![
                        Write::delete(keys::version(&function.id, version.number)),
                        marks.check(&function.id),
                    ];
                    if let Ok(image) = ImageRef::parse(&version.image_ref) {
                        writes.push(Write::delete(keys::image(&image)));
                    }
                    if !self.table.try_transact(writes, None).await? {
                        // Labelled or pinned meanwhile; the next round knows.
                        break;
                    }
                    self.parts
                        .blobs
                        .delete(&version.source_key)
                        .await
                        .map_err(blob_error)?;
                }
            }
        }
        Ok(())
    }

    async fn serving_images(&self) -> Result<HashSet<String>> {
        let apps: Vec<AppRecord> = self.table.all(Query::prefix(keys::APPS, "")).await?;
        Ok(apps
            .into_iter()
            .filter_map(|app| app.image_ref)
            .map(|image| image.to_string())
            .collect())
    }

    /// Keys and hashes of artifacts that a record names; `strictly` leaves out those of builds that made no version and serve nowhere.
    async fn named_artifacts(&self, strictly: bool) -> Result<(HashSet<String>, HashSet<String>)> {
        let (mut keys_named, mut hashes) = (HashSet::new(), HashSet::new());
        let mut name = |artifact: Option<crate::model::version::Artifact>| {
            if let Some(artifact) = artifact {
                // A component beside an image can be made again.
                if !strictly {
                    keys_named.insert(artifact.portable_key());
                }
                keys_named.insert(artifact.key);
                hashes.insert(artifact.sha256);
            }
        };
        let apps: Vec<AppRecord> = self.table.all(Query::prefix(keys::APPS, "")).await?;
        for app in apps {
            name(app.artifact);
        }
        for workspace in self.workspaces().await? {
            for function in self.all_functions(&workspace).await? {
                let versions: Vec<Version> = self
                    .table
                    .all(Query::prefix(
                        keys::function_partition(&function.id),
                        keys::VERSION_PREFIX,
                    ))
                    .await?;
                for version in versions {
                    name(Some(version.artifact));
                }
            }
            if !strictly {
                let tasks: Vec<TaskRecord> = self
                    .table
                    .all(Query::prefix(
                        keys::workspace_partition(&workspace),
                        keys::TASK_PREFIX,
                    ))
                    .await?;
                for task in tasks {
                    name(task.artifact);
                }
            }
        }
        Ok((keys_named, hashes))
    }

    /// Deletes artifacts older than `before` (seconds) that no record names, and native programs made of them. Answers the bytes freed.
    async fn collect_artifacts(&self, before: i64, strictly: bool) -> Result<u64> {
        let (named, hashes) = self.named_artifacts(strictly).await?;
        let mut freed = 0;
        for blob in self
            .parts
            .blobs
            .list("build-artifacts/")
            .await
            .map_err(blob_error)?
        {
            if blob.modified < before && !named.contains(&blob.key) {
                self.parts
                    .blobs
                    .delete(&blob.key)
                    .await
                    .map_err(blob_error)?;
                freed += blob.size;
            }
        }
        match self.parts.platform.collect(&hashes).await {
            Ok(bytes) => Ok(freed + bytes),
            Err(error) => {
                tracing::warn!(%error, "native programs could not be collected");
                Ok(freed)
            }
        }
    }

    async fn disk_usage(&self) -> u64 {
        let store = self.parts.store.disk_usage().await.unwrap_or_default();
        let blobs = self.parts.blobs.disk_usage().await.unwrap_or_default();
        store + blobs + self.parts.platform.cache_usage().await.unwrap_or_default()
    }

    /// Unused artifacts go first, then the oldest executions.
    async fn keep_disk_limit(&self) -> Result<()> {
        let Some(limit) = self.settings.max_data else {
            return Ok(());
        };
        if self.disk_usage().await <= limit {
            return Ok(());
        }
        self.collect_artifacts(Timestamp::now().seconds() - 60, true)
            .await?;
        for _ in 0..100 {
            let usage = self.disk_usage().await;
            if usage <= limit {
                return Ok(());
            }
            if self.drop_oldest_executions(usage - limit).await? == 0 {
                break;
            }
        }
        tracing::warn!(
            limit,
            "the data is larger than BLUE_FAAS_MAX_DATA although nothing unused is left; deployed versions need the rest"
        );
        Ok(())
    }

    /// Deletes the oldest executions over all functions, up to 1,000, until `over` bytes are free. Answers the bytes that are: with none,
    /// something else fills the disk, and nothing more may be deleted in vain.
    async fn drop_oldest_executions(&self, over: u64) -> Result<u64> {
        let mut oldest: Vec<Key> = Vec::new();
        for workspace in self.workspaces().await? {
            for function in self.all_functions(&workspace).await? {
                let page = self
                    .table
                    .page(
                        &Query::prefix(keys::function_partition(&function.id), EXECUTION_PREFIX)
                            .limit(1_000),
                    )
                    .await?;
                oldest.extend(page.items.into_iter().map(|(key, _)| key));
            }
        }
        oldest.sort_by(|a, b| a.sk.cmp(&b.sk));
        oldest.truncate(1_000);
        let usage = async || self.parts.store.disk_usage().await.unwrap_or_default();
        let before = usage().await;
        let mut freed = 0;
        for chunk in oldest.chunks(50) {
            self.table
                .transact(chunk.iter().cloned().map(Write::delete).collect())
                .await?;
            freed = before.saturating_sub(usage().await);
            if freed >= over {
                break;
            }
        }
        Ok(freed)
    }
}
