//! Build tasks: accepted, queued, worked on by any server, read by everyone.

mod engine;
mod output;
pub mod record;
mod run;
mod warm;

use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::actor::Actor;
use super::deployments::Deployments;
use super::functions::record::{FunctionRecord, sha256_hex};
use super::functions::{Functions, SourceUpload};
use super::new_id;
use super::table::{Table, blob_error, to_item};
use super::workspaces::Workspaces;
use crate::model::deployment::AppName;
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, TaskId, WorkspaceId};
use crate::model::source::Diagnostic;
use crate::model::task::{StageStatus, TaskLine, TaskStatus, TaskView};
use crate::model::time::Timestamp;
use crate::model::version::Version;
use crate::port::blobs::Blobs;
use crate::port::builder::{Builder, RegistryCredentials};
use crate::port::keys;
use crate::port::platform::Platform;
use crate::port::store::{Condition, Query, Update, Write};
use record::{DeployPlan, PushTarget, TaskKind, TaskRecord, planned_stages};

/// An upload to build.
pub struct BuildUpload {
    pub workspace: Option<WorkspaceId>,
    pub function: Option<FunctionId>,
    pub app_name: Option<AppName>,
    pub upload: SourceUpload,
    /// Also push the result there.
    pub push: Option<PushTarget>,
    pub credentials: Option<RegistryCredentials>,
}

/// Settings of the engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineSettings {
    /// Builds at the same time in this server.
    pub parallelism: usize,
    /// Seconds that one task may take.
    pub timeout: std::time::Duration,
    /// Compile the Python runtime ahead of the first build.
    pub warm_up: bool,
}

pub struct Builds {
    table: Table,
    blobs: Arc<dyn Blobs>,
    builder: Arc<dyn Builder>,
    platform: Arc<dyn Platform>,
    workspaces: Arc<Workspaces>,
    functions: Arc<Functions>,
    deployments: Arc<Deployments>,
    settings: EngineSettings,
    /// This server process, as leases name it.
    process: String,
    /// Work was queued, or a worker became free.
    wake: Notify,
    /// Tasks that this process works on.
    running: Mutex<HashMap<TaskId, CancellationToken>>,
    /// Of tasks that this process accepted; gone with it.
    credentials: Mutex<HashMap<TaskId, RegistryCredentials>>,
    /// Rings when a task has new output or a new state.
    news: Arc<Notify>,
}

impl Builds {
    #[expect(clippy::too_many_arguments, reason = "the composition names each once")]
    pub fn new(
        table: Table,
        blobs: Arc<dyn Blobs>,
        builder: Arc<dyn Builder>,
        platform: Arc<dyn Platform>,
        workspaces: Arc<Workspaces>,
        functions: Arc<Functions>,
        deployments: Arc<Deployments>,
        settings: EngineSettings,
    ) -> Arc<Self> {
        Arc::new(Self {
            table,
            blobs,
            builder,
            platform,
            workspaces,
            functions,
            deployments,
            settings,
            process: uuid::Uuid::now_v7().to_string(),
            wake: Notify::new(),
            running: Mutex::default(),
            credentials: Mutex::default(),
            news: Arc::new(Notify::new()),
        })
    }

    /// The quick checks on a module as it is typed.
    pub async fn diagnose(&self, python: String) -> Vec<Diagnostic> {
        let builder = self.builder.clone();
        // A large module takes milliseconds, during which other requests go on.
        tokio::task::spawn_blocking(move || builder.diagnose("app.py", &python))
            .await
            .unwrap_or_default()
    }

    /// Accepts an upload: read and bounded, stored, queued.
    pub async fn build_upload(&self, actor: &Actor, request: BuildUpload) -> Result<TaskRecord> {
        let workspace = match request.workspace {
            Some(workspace) if workspace.as_str() != super::workspaces::DEFAULT_WORKSPACE => {
                workspace
            }
            _ => self.workspaces.ensure_default().await?,
        };
        self.workspaces.record(&workspace).await?;
        let function = match &request.function {
            Some(id) => Some(
                self.functions
                    .record(&self.functions.workspace_of(id).await?, id)
                    .await?,
            ),
            None => None,
        };
        let workspace = function
            .as_ref()
            .map_or(workspace, |function| function.workspace_id.clone());
        let (_, summary) = self.functions.read_upload(&request.upload).await?;
        let task_id = new_id::task_id();
        let app_name = match request.app_name {
            Some(name) => name,
            None => default_app_name(&task_id)?,
        };
        let key = format!(
            "build-sources/{workspace}/{task_id}/{}",
            blob_name(&request.upload.file_name)
        );
        let sha256 = sha256_hex(&request.upload.content);
        self.blobs
            .put(&key, request.upload.content, Some(&sha256))
            .await
            .map_err(blob_error)?;
        let kind = if request.push.is_some() {
            TaskKind::BuildAndPush
        } else {
            TaskKind::Build
        };
        let mut record = new_record(actor, task_id, workspace, app_name, kind);
        record.function_id = function.as_ref().map(|function| function.id.clone());
        record.configuration = function.as_ref().map(FunctionRecord::configuration);
        record.source_code_path = Some(self.blobs.url(&key));
        record.source_key = Some(key);
        record.source_sha256 = Some(sha256);
        record.source = Some(summary);
        record.push = request.push;
        self.enqueue(record, function.as_ref(), request.credentials)
            .await
    }

    /// Queues a build of a function's saved source, deployed when it is done.
    pub(super) async fn build_saved(
        &self,
        actor: &Actor,
        function: &FunctionRecord,
        plan: DeployPlan,
        push: Option<PushTarget>,
    ) -> Result<TaskRecord> {
        let code = self.functions.code(function).await?;
        let task_id = new_id::task_id();
        let folder = format!("build-sources/{}/{task_id}", function.workspace_id);
        let mut record = new_record(
            actor,
            task_id,
            function.workspace_id.clone(),
            plan.app_name.clone(),
            TaskKind::Deploy,
        );
        let module = Bytes::copy_from_slice(code.python().as_bytes());
        let module_sha256 = sha256_hex(&module);
        let module_key = format!("{folder}/app.py");
        self.blobs
            .put(&module_key, module, Some(&module_sha256))
            .await
            .map_err(blob_error)?;
        if let (Some(archive_key), Some(sha256)) = (&function.archive_key, &function.archive_sha256)
        {
            let archive = self
                .blobs
                .get(archive_key, Some(sha256))
                .await
                .map_err(blob_error)?;
            let key = format!("{folder}/source.zip");
            self.blobs
                .put(&key, archive, Some(sha256))
                .await
                .map_err(blob_error)?;
            record.source_key = Some(key);
            record.source_sha256 = Some(sha256.clone());
            record.entry_key = Some(module_key);
        } else {
            record.source_key = Some(module_key);
            record.source_sha256 = Some(module_sha256);
        }
        record.source_code_path = record.source_key.as_ref().map(|key| self.blobs.url(key));
        record.function_id = Some(function.id.clone());
        record.configuration = Some(function.configuration());
        record.source = Some(function.source_summary());
        record.deploy = Some(plan);
        record.push = push;
        self.enqueue(record, Some(function), None).await
    }

    /// Queues a push of what an earlier task of the workspace built: the one whose source is named, else the newest.
    pub async fn push(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        source_path: Option<&str>,
        target: PushTarget,
        credentials: Option<RegistryCredentials>,
    ) -> Result<TaskRecord> {
        self.workspaces.record(workspace).await?;
        let tasks = self.records(workspace, 1_000).await?;
        let named = |task: &&TaskRecord| {
            source_path.is_none_or(|path| {
                task.source_code_path.as_deref() == Some(path)
                    || task.wasm_path.as_deref() == Some(path)
                    || task
                        .source_code_path
                        .as_deref()
                        .is_some_and(|full| full.starts_with(path))
            })
        };
        let built = tasks
            .iter()
            .filter(|task| task.status == TaskStatus::Done && task.artifact.is_some())
            .find(named);
        let built = built.ok_or_else(|| Error::validation("s3_source_path", "Nothing that was built matches. Build first, then push with the source path of that task's answer."))?;
        let mut record = new_record(
            actor,
            new_id::task_id(),
            workspace.clone(),
            built.app_name.clone(),
            TaskKind::Push,
        );
        record.function_id.clone_from(&built.function_id);
        record.artifact.clone_from(&built.artifact);
        record.wasm_path.clone_from(&built.wasm_path);
        record.source_code_path.clone_from(&built.source_code_path);
        record.source.clone_from(&built.source);
        record.version = built.version;
        record.configuration.clone_from(&built.configuration);
        record.push = Some(target);
        self.enqueue(record, None, credentials).await
    }

    async fn enqueue(
        &self,
        record: TaskRecord,
        function: Option<&FunctionRecord>,
        credentials: Option<RegistryCredentials>,
    ) -> Result<TaskRecord> {
        let place = serde_json::json!({"workspace_id": record.workspace_id});
        let entry = serde_json::json!({"workspace_id": record.workspace_id, "task_id": record.task_id, "created_at": record.created_at});
        let alive = Condition::All(vec![
            Condition::Exists,
            Condition::Missing("deleting".to_owned()),
        ]);
        let mut writes = vec![
            Write::create(
                keys::task(&record.workspace_id, &record.task_id),
                to_item(&record)?,
            ),
            Write::create(keys::task_owner(&record.task_id), to_item(&place)?),
            Write::create(
                keys::queue_entry(record.created_at, &record.task_id),
                to_item(&entry)?,
            ),
            Write::Check {
                key: keys::workspace(&record.workspace_id),
                condition: alive.clone(),
            },
        ];
        if let Some(function) = function {
            let key = keys::function(&function.workspace_id, &function.id);
            writes.push(Write::Update(
                Update::new(key)
                    .set("taskId", record.task_id.as_str())
                    .set("work", "building")
                    .when(alive),
            ));
        }
        if let Some(credentials) = credentials {
            self.credentials
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(record.task_id.clone(), credentials);
        }
        self.table.transact(writes).await?;
        self.wake.notify_one();
        Ok(record)
    }

    async fn locate(&self, id: &TaskId) -> Result<WorkspaceId> {
        let owner = self.table.get_item(&keys::task_owner(id)).await?;
        let workspace = owner
            .as_ref()
            .and_then(|item| item.get("workspace_id"))
            .and_then(|value| value.as_str());
        workspace.map_or_else(|| Err(Error::not_found("task", id)), WorkspaceId::parse)
    }

    /// `workspace` is a hint that saves a look-up; tasks of the first system are found only with it.
    pub async fn get(
        &self,
        _actor: &Actor,
        id: &TaskId,
        workspace: Option<&WorkspaceId>,
    ) -> Result<TaskRecord> {
        let workspace = match self.locate(id).await {
            Ok(found) => found,
            Err(missing) => workspace.cloned().ok_or(missing)?,
        };
        self.table
            .get(&keys::task(&workspace, id))
            .await?
            .ok_or_else(|| Error::not_found("task", id))
    }

    async fn records(&self, workspace: &WorkspaceId, limit: usize) -> Result<Vec<TaskRecord>> {
        let mut records: Vec<TaskRecord> = self
            .table
            .first(
                Query::prefix(keys::workspace_partition(workspace), keys::TASK_PREFIX)
                    .newest_first(),
                limit,
            )
            .await?;
        records.sort_by_key(|task| std::cmp::Reverse(task.created_at));
        Ok(records)
    }

    /// Newest first, 1,000 at most.
    pub async fn list_records(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<TaskRecord>> {
        self.workspaces.record(workspace).await?;
        self.records(workspace, 1_000).await
    }

    /// The newest 100, or those in one state among the newest 1,000.
    pub async fn list(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        status: Option<TaskStatus>,
    ) -> Result<Vec<TaskView>> {
        let records = self.list_records(actor, workspace).await?;
        Ok(records
            .into_iter()
            .filter(|task| status.is_none_or(|status| task.status == status))
            .take(100)
            .map(TaskRecord::view)
            .collect())
    }

    /// The newest 100 tasks of a function.
    pub async fn list_of_function(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
    ) -> Result<Vec<TaskView>> {
        let records = self.list_records(actor, workspace).await?;
        Ok(records
            .into_iter()
            .filter(|task| task.function_id.as_ref() == Some(function))
            .take(100)
            .map(TaskRecord::view)
            .collect())
    }

    /// A task and its output after the line `after`.
    pub async fn progress(
        &self,
        actor: &Actor,
        id: &TaskId,
        after: u64,
    ) -> Result<(TaskView, Vec<TaskLine>)> {
        let record = self.get(actor, id, None).await?;
        Ok((record.view(), self.lines(id, after).await?))
    }

    /// Waits until some task may have news, a second at most.
    pub async fn wait_for_news(&self) {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), self.news.notified()).await;
    }

    /// Ends a task that is not done: at once when it waits, within seconds when it runs.
    pub async fn cancel(&self, actor: &Actor, id: &TaskId) -> Result<TaskRecord> {
        let record = self.get(actor, id, None).await?;
        if record.status.is_terminal() {
            return Err(Error::conflict(format!(
                "This task is {} already; there is nothing to cancel.",
                record.status.as_str()
            )));
        }
        let key = keys::task(&record.workspace_id, id);
        let waiting = Condition::All(vec![
            Condition::Equals("status".to_owned(), "pending".into()),
            Condition::Equals("fence".to_owned(), record.fence.into()),
        ]);
        if record.status == TaskStatus::Pending && record.lease_owner.is_none() {
            let mut ended = record.clone();
            ended.status = TaskStatus::Cancelled;
            ended.error_message = Some("Cancelled before it started.".to_owned());
            ended.end_running(StageStatus::Skipped, Timestamp::now());
            ended.updated_at = Timestamp::now();
            if self.finish(&ended, Some(waiting)).await? {
                return Ok(ended);
            }
        }
        let _: Option<serde_json::Value> = self
            .table
            .try_update(
                Update::new(key)
                    .set("cancel_requested", true)
                    .when(Condition::Exists),
            )
            .await?;
        if let Some(token) = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
        {
            token.cancel();
        }
        self.get(actor, id, None).await
    }

    /// Queues the same source again as a new task.
    pub async fn retry(&self, actor: &Actor, id: &TaskId) -> Result<TaskRecord> {
        let earlier = self.get(actor, id, None).await?;
        if !matches!(earlier.status, TaskStatus::Failed | TaskStatus::Cancelled) {
            return Err(Error::conflict(format!(
                "This task is {}; only a failed or cancelled one can be run again.",
                earlier.status.as_str()
            )));
        }
        if earlier
            .push
            .as_ref()
            .is_some_and(|push| push.with_credentials)
        {
            return Err(Error::conflict(
                "This task was given registry credentials, which are never stored. Send the request again with them.",
            ));
        }
        let function = match &earlier.function_id {
            Some(function) => Some(
                self.functions
                    .record(&earlier.workspace_id, function)
                    .await?,
            ),
            None => None,
        };
        let mut record = new_record(
            actor,
            new_id::task_id(),
            earlier.workspace_id.clone(),
            earlier.app_name.clone(),
            earlier.kind,
        );
        record.function_id = earlier.function_id;
        record.source_code_path = earlier.source_code_path;
        record.source_key = earlier.source_key;
        record.source_sha256 = earlier.source_sha256;
        record.entry_key = earlier.entry_key;
        record.source = earlier.source;
        record.configuration = earlier.configuration;
        record.push = earlier.push;
        record.deploy = earlier.deploy;
        if earlier.kind == TaskKind::Push {
            record.artifact = earlier.artifact;
            record.wasm_path = earlier.wasm_path;
            record.version = earlier.version;
        }
        self.enqueue(record, function.as_ref(), None).await
    }

    /// Newest first.
    pub async fn versions(&self, function: &FunctionId) -> Result<Vec<Version>> {
        self.table
            .first(
                Query::prefix(keys::function_partition(function), keys::VERSION_PREFIX)
                    .newest_first(),
                100,
            )
            .await
    }

    /// Records a task's end, or refuses when the condition no longer holds. The function it belongs to is free again.
    async fn finish(&self, record: &TaskRecord, condition: Option<Condition>) -> Result<bool> {
        let mut ended = record.clone();
        ended.lease_owner = None;
        ended.lease_until = 0.0;
        let mut writes = vec![
            Write::Put {
                key: keys::task(&record.workspace_id, &record.task_id),
                item: to_item(&ended)?,
                condition,
            },
            Write::delete(keys::queue_entry(record.created_at, &record.task_id)),
        ];
        if let Some(function) = &record.function_id {
            let key = keys::function(&record.workspace_id, function);
            let current: Option<FunctionRecord> = self.table.get(&key).await?;
            if current.is_some_and(|function| function.task_id.as_ref() == Some(&record.task_id)) {
                let mine = Condition::Equals("taskId".to_owned(), record.task_id.as_str().into());
                let update = Update::new(key)
                    .remove("work")
                    .set("failed", record.status == TaskStatus::Failed)
                    .when(mine);
                writes.push(Write::Update(update));
            }
        }
        let finished = self.table.try_transact(writes, None).await?;
        if finished {
            self.credentials
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&record.task_id);
            self.news.notify_waiters();
        }
        Ok(finished)
    }

    /// Deletes a workspace's tasks that belong to a function, or all of them: records, output and sources. Their artifacts, which
    /// others may share, are collected once nothing names them.
    pub(super) async fn remove(
        &self,
        workspace: &WorkspaceId,
        function: Option<&FunctionId>,
    ) -> Result<()> {
        let tasks: Vec<TaskRecord> = self
            .table
            .all(Query::prefix(
                keys::workspace_partition(workspace),
                keys::TASK_PREFIX,
            ))
            .await?;
        for task in tasks {
            if function.is_some() && task.function_id.as_ref() != function {
                continue;
            }
            if let Some(token) = self
                .running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&task.task_id)
            {
                token.cancel();
            }
            self.table
                .delete_partition(&keys::task_partition(&task.task_id), "")
                .await?;
            let folder = format!("build-sources/{workspace}/{}/", task.task_id);
            for blob in self.blobs.list(&folder).await.map_err(blob_error)? {
                self.blobs.delete(&blob.key).await.map_err(blob_error)?;
            }
            let mut writes = vec![Write::delete(keys::queue_entry(
                task.created_at,
                &task.task_id,
            ))];
            if let Some(image) = task
                .image_url
                .as_deref()
                .and_then(|image| crate::model::deployment::ImageRef::parse(image).ok())
            {
                writes.push(Write::delete(keys::image(&image)));
            }
            writes.push(Write::delete(keys::task(workspace, &task.task_id)));
            self.table.transact(writes).await?;
        }
        Ok(())
    }
}

fn new_record(
    actor: &Actor,
    task_id: TaskId,
    workspace_id: WorkspaceId,
    app_name: AppName,
    kind: TaskKind,
) -> TaskRecord {
    let now = Timestamp::now();
    TaskRecord {
        record_type: "BuildTask".to_owned(),
        task_id,
        workspace_id,
        function_id: None,
        app_name,
        kind,
        status: TaskStatus::Pending,
        source_code_path: None,
        source_key: None,
        source_sha256: None,
        entry_key: None,
        source: None,
        configuration: None,
        push: None,
        deploy: None,
        artifact: None,
        wasm_path: None,
        image_url: None,
        version: None,
        deployed: false,
        error_message: None,
        diagnostics: Vec::new(),
        stages: planned_stages(kind),
        by: actor.name().to_owned(),
        created_at: now,
        updated_at: now,
        lease_owner: None,
        lease_until: 0.0,
        fence: 0.0,
        tries: 0.0,
        cancel_requested: false,
    }
}

/// `app-{first 8 of the task id}`. Version 7 ids begin with the time: their last eight tell tasks apart better, but the name is a contract.
fn default_app_name(task: &TaskId) -> Result<AppName> {
    AppName::parse(format!("app-{}", &task.as_str()[..8]))
}

/// A file name as the segment of a key.
fn blob_name(file_name: &str) -> String {
    let base = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let safe: String = base
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '_'
            }
        })
        .take(100)
        .collect();
    if safe.trim_matches('.').is_empty() {
        "source".to_owned()
    } else {
        safe
    }
}
