//! Build tasks: accepted, queued, worked on by any server, read by everyone.

mod build;
mod change;
mod credentials;
mod engine;
pub(super) mod history;
mod job;
mod output;
pub mod record;
mod run;
mod steps;
mod submit;
mod warm;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::actor::Actor;
use super::adoption;
use super::deployments::Deployments;
use super::functions::Functions;
use super::paging::{Newest, Page, PageQuery, WHOLE};
use super::table::Table;
use super::workspaces::Workspaces;
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, TaskId, WorkspaceId};
use crate::model::source::Diagnostic;
use crate::model::task::{TaskLine, TaskStatus, TaskView};
use crate::model::version::Version;
use crate::port::blobs::Blobs;
use crate::port::builder::Builder;
use crate::port::keys;
use crate::port::platform::Platform;
use crate::port::store::Query;
use credentials::KeptCredentials;
use record::TaskRecord;

pub use submit::BuildUpload;

/// Settings of the engine.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Builds at the same time in this server.
    pub parallelism: usize,
    /// Seconds that one task may take.
    pub timeout: std::time::Duration,
    /// Compile the Python runtime ahead of the first build.
    pub warm_up: bool,
    /// Where images go that nobody named a registry for; `None` where they need none.
    pub registry: Option<String>,
}

/// Our ids begin with the time, and so with 0 for centuries. Those of the first system are older, whatever they begin with.
const BY_AGE: &[(&str, &str)] = &[("0", "0~"), ("1", "~")];

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
    credentials: Mutex<HashMap<TaskId, KeptCredentials>>,
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

    async fn locate(&self, id: &TaskId) -> Result<WorkspaceId> {
        let owner = self.table.get_item(&keys::task_owner(id)).await?;
        let workspace = owner
            .as_ref()
            .and_then(|item| item.get("workspace_id"))
            .and_then(|value| value.as_str());
        workspace.map_or_else(|| Err(Error::not_found("task", id)), WorkspaceId::parse)
    }

    /// `workspace` is a hint that saves a look-up; a task of the first system is found with it once, and without it from then on.
    pub async fn get(
        &self,
        _actor: &Actor,
        id: &TaskId,
        workspace: Option<&WorkspaceId>,
    ) -> Result<TaskRecord> {
        let missing = match self.locate(id).await {
            Ok(found) => {
                let task = self.table.get(&keys::task(&found, id)).await?;
                return task.ok_or_else(|| Error::not_found("task", id));
            }
            Err(missing) => missing,
        };
        let workspace = workspace.ok_or(missing)?;
        let task = self.table.get(&keys::task(workspace, id)).await?;
        let task = task.ok_or_else(|| Error::not_found("task", id))?;
        adoption::adopt_task(&self.table, workspace, id).await?;
        Ok(task)
    }

    /// Newest first; those of the first system, whose ids may tell no time, by id after them.
    pub async fn list_records(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        part: &PageQuery,
    ) -> Result<Page<TaskRecord>> {
        self.find(workspace, part, |_| true).await
    }

    async fn find(
        &self,
        workspace: &WorkspaceId,
        part: &PageQuery,
        passes: impl Fn(&TaskRecord) -> bool,
    ) -> Result<Page<TaskRecord>> {
        self.workspaces.record(workspace).await?;
        let list = Newest {
            partition: keys::workspace_partition(workspace),
            prefix: keys::TASK_PREFIX,
            stretches: BY_AGE,
        };
        list.part(&self.table, part, passes).await
    }

    /// The newest 100, or those in one state among the newest 5,000.
    pub async fn list(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        status: Option<TaskStatus>,
    ) -> Result<Vec<TaskView>> {
        let passes = |task: &TaskRecord| status.is_none_or(|status| task.status == status);
        let page = self.find(workspace, &PageQuery::default(), passes).await?;
        Ok(page.map(TaskRecord::view).rows)
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

    /// Newest first.
    pub async fn versions(&self, function: &FunctionId, part: &PageQuery) -> Result<Page<Version>> {
        let list = Newest {
            partition: keys::function_partition(function),
            prefix: keys::VERSION_PREFIX,
            stretches: WHOLE,
        };
        list.part(&self.table, part, |_| true).await
    }

    pub async fn newest_version(&self, function: &FunctionId) -> Result<Option<Version>> {
        let query = Query::prefix(keys::function_partition(function), keys::VERSION_PREFIX);
        let newest = self.table.first(query.newest_first(), 1).await?;
        Ok(newest.into_iter().next())
    }
}
