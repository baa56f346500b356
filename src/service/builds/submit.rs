//! Accepting work: an upload, a saved source, a push.

use bytes::Bytes;

use super::Builds;
use super::history;
use super::record::{DeployPlan, PushTarget, TaskKind, TaskRecord, planned_stages};
use crate::model::deployment::AppName;
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, TaskId, WorkspaceId};
use crate::model::task::TaskStatus;
use crate::model::time::Timestamp;
use crate::port::builder::RegistryCredentials;
use crate::port::keys;
use crate::port::store::{Condition, Update, Write};
use crate::service::actor::Actor;
use crate::service::functions::SourceUpload;
use crate::service::functions::record::{FunctionRecord, sha256_hex};
use crate::service::new_id;
use crate::service::paging::PageQuery;
use crate::service::table::{blob_error, to_item};
use crate::service::workspaces::DEFAULT_WORKSPACE;

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

impl Builds {
    /// Accepts an upload: read and bounded, stored, queued.
    pub async fn build_upload(&self, actor: &Actor, request: BuildUpload) -> Result<TaskRecord> {
        let function = match &request.function {
            Some(id) => Some(
                self.functions
                    .record(&self.functions.workspace_of(id).await?, id)
                    .await?,
            ),
            None => None,
        };
        let (_, summary) = self.functions.read_upload(&request.upload).await?;
        let workspace = self
            .workspace_of(actor, request.workspace, function.as_ref())
            .await?;
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

    /// Where an upload is built: in its function's workspace, else in the one it names, which is made when there is none.
    async fn workspace_of(
        &self,
        actor: &Actor,
        named: Option<WorkspaceId>,
        function: Option<&FunctionRecord>,
    ) -> Result<WorkspaceId> {
        let workspace = match named {
            Some(workspace) => workspace,
            None => WorkspaceId::parse(DEFAULT_WORKSPACE)?,
        };
        let Some(function) = function else {
            self.workspaces.ensure(actor, &workspace).await?;
            return Ok(workspace);
        };
        if workspace.as_str() != DEFAULT_WORKSPACE {
            self.workspaces.record(&workspace).await?;
        }
        Ok(function.workspace_id.clone())
    }

    /// Queues a build of a function's saved source, deployed when it is done if the kind says so.
    pub(in crate::service) async fn build_saved(
        &self,
        actor: &Actor,
        function: &FunctionRecord,
        kind: TaskKind,
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
            kind,
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
        record.deploy = Some(plan).filter(|_| kind == TaskKind::Deploy);
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
        let named = |task: &TaskRecord| {
            source_path.is_none_or(|path| {
                task.source_code_path.as_deref() == Some(path)
                    || builders_source(task) == Some(path)
                    || task.wasm_path.as_deref() == Some(path)
                    || task
                        .source_code_path
                        .as_deref()
                        .is_some_and(|full| full.starts_with(path))
            })
        };
        let is_built = |task: &TaskRecord| {
            task.status == TaskStatus::Done && (task.artifact.is_some() || task.job.is_some())
        };
        let newest = PageQuery {
            limit: Some(1),
            cursor: None,
        };
        let passes = |task: &TaskRecord| is_built(task) && named(task);
        let built = self.find(workspace, &newest, passes).await?.rows.pop();
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
        // A builder elsewhere finds the source where it put it.
        record.source_code_path = match builders_source(&built) {
            Some(path) => Some(path.to_owned()),
            None => built.source_code_path.clone(),
        };
        record.source.clone_from(&built.source);
        record.version = built.version;
        record.configuration.clone_from(&built.configuration);
        record.push = Some(target);
        self.enqueue(record, None, credentials).await
    }

    pub(super) async fn enqueue(
        &self,
        mut record: TaskRecord,
        function: Option<&FunctionRecord>,
        credentials: Option<RegistryCredentials>,
    ) -> Result<TaskRecord> {
        if credentials.is_some() {
            self.announce_credentials(&mut record);
        }
        let place = serde_json::json!({"workspace_id": record.workspace_id});
        let entry =
            serde_json::json!({"workspace_id": record.workspace_id, "task_id": record.task_id});
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
                condition: alive(),
            },
        ];
        writes.extend(history::listing(&record)?);
        writes.extend(of_function(&record, function));
        self.table.transact(writes).await?;
        if let Some(credentials) = credentials {
            self.keep_credentials(&record, credentials);
        }
        self.wake.notify_one();
        Ok(record)
    }
}

/// Of a workspace or function: there, and not being deleted.
pub(super) fn alive() -> Condition {
    Condition::All(vec![
        Condition::Exists,
        Condition::Missing("deleting".to_owned()),
    ])
}

/// A new task is its function's work, or a push of what that built; either way the function has to be there.
fn of_function(task: &TaskRecord, function: Option<&FunctionRecord>) -> Option<Write> {
    let key = keys::function(&task.workspace_id, task.function_id.as_ref()?);
    let Some(function) = function else {
        return Some(Write::Check {
            key,
            condition: alive(),
        });
    };
    // What a save asks for is in the queue in the order of the saves.
    let still = match &task.deploy {
        Some(plan) if plan.on_save => Condition::All(vec![
            alive(),
            Condition::Equals("revision".to_owned(), function.revision.into()),
        ]),
        Some(_) | None => alive(),
    };
    Some(Write::Update(
        Update::new(key)
            .set("taskId", task.task_id.as_str())
            .set("work", "building")
            .when(still),
    ))
}

/// Where the builder that made it keeps the source of a task.
fn builders_source(task: &TaskRecord) -> Option<&str> {
    task.job.as_ref()?.source_path.as_deref()
}

/// A task that waits, with nothing of its own yet.
pub(super) fn new_record(
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
        job: None,
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
        credentials_with: None,
        credentials_until: 0.0,
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
