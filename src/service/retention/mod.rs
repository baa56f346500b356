//! Deletions that can be taken up again, and what is kept for how long.

mod builds;
mod deletions;
mod disk;

use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::actor::Actor;
use super::builds::Builds;
use super::builds::record::TaskRecord;
use super::deployments::Deployments;
use super::effects::Effects;
use super::executions::recorder::Recorder;
use super::functions::{FunctionRecord, Functions};
use super::key_values::StoredKeyValues;
use super::paging::PageQuery;
use super::shared::ByName;
use super::table::{Table, store_error};
use super::workspaces::Workspaces;
use crate::model::error::Result;
use crate::model::id::WorkspaceId;
use crate::model::time::Timestamp;
use crate::port::blobs::Blobs;
use crate::port::keys;
use crate::port::platform::Platform;
use crate::port::store::{Query, Store};

/// How often expired items are removed and limits are looked at.
const INTERVAL: Duration = Duration::from_mins(1);
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
    /// Whether everything below `build-artifacts/` was put there by servers that share this table. A builder elsewhere writes there for
    /// others too, who are not asked.
    pub owns_artifacts: bool,
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
    pub effects: Effects,
}

pub struct Retention {
    table: Table,
    parts: RetentionParts,
    settings: RetentionSettings,
    /// Deletions of this server, by what they delete: one at a time, or the second might delete what was made anew since.
    deletions: ByName<tokio::sync::Mutex<()>>,
}

impl Retention {
    pub fn new(parts: RetentionParts, settings: RetentionSettings) -> Arc<Self> {
        Arc::new(Self {
            table: Table::new(parts.store.clone()),
            parts,
            settings,
            deletions: ByName::default(),
        })
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
            self.settle_tasks().await?;
            self.drop_old_versions().await?;
            self.collect_artifacts(Timestamp::now().seconds() - GRACE, false)
                .await?;
            self.drop_old_answers().await?;
        }
        self.parts.deployments.take_down_left().await?;
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

    async fn tasks(&self, workspace: &WorkspaceId) -> Result<Vec<TaskRecord>> {
        self.table
            .all(Query::prefix(
                keys::workspace_partition(workspace),
                keys::TASK_PREFIX,
            ))
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
        let all = PageQuery::default();
        let workspaces = self.parts.workspaces.list(&Actor::system(), &all).await?;
        Ok(workspaces
            .rows
            .into_iter()
            .map(|workspace| workspace.id)
            .collect())
    }
}
