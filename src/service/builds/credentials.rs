//! Credentials for a registry, which came with a task: in the memory of the server that took it, and nowhere else.
//!
//! Invariant: while that server says that it is alive, no other one begins the task. What it says so with is a lease beside the task's own.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use super::Builds;
use super::engine::{LEASE, is_open};
use super::record::TaskRecord;
use crate::model::id::{TaskId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::port::builder::RegistryCredentials;
use crate::port::keys;
use crate::port::store::Update;

/// Three times within a lease.
const RENEWAL: Duration = Duration::from_secs(5);

pub(super) struct KeptCredentials {
    workspace: WorkspaceId,
    credentials: RegistryCredentials,
}

type Kept<'a> = MutexGuard<'a, std::collections::HashMap<TaskId, KeptCredentials>>;

impl Builds {
    fn kept_credentials(&self) -> Kept<'_> {
        self.credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes into a task that is about to be queued that this server has its credentials.
    pub(super) fn announce_credentials(&self, task: &mut TaskRecord) {
        task.credentials_with = Some(self.process.clone());
        task.credentials_until = (Timestamp::now().seconds() + LEASE) as f64;
    }

    pub(super) fn keep_credentials(&self, task: &TaskRecord, credentials: RegistryCredentials) {
        let kept = KeptCredentials {
            workspace: task.workspace_id.clone(),
            credentials,
        };
        self.kept_credentials().insert(task.task_id.clone(), kept);
    }

    pub(super) fn credentials_of(&self, task: &TaskId) -> Option<RegistryCredentials> {
        let kept = self.kept_credentials();
        kept.get(task).map(|kept| kept.credentials.clone())
    }

    pub(super) fn drop_credentials(&self, task: &TaskId) {
        self.kept_credentials().remove(task);
    }

    /// Whether this server has what the task needs, or nobody has it any more. A job that has begun elsewhere has it already.
    pub(super) fn may_begin(&self, task: &TaskRecord, now: i64) -> bool {
        let Some(keeper) = &task.credentials_with else {
            return true;
        };
        if task.job.is_some() {
            return true;
        }
        if *keeper == self.process {
            // Queued, and kept a moment later.
            return self.kept_credentials().contains_key(&task.task_id);
        }
        self.table.is_exclusive() || task.credentials_until <= now as f64
    }

    fn tasks_with_credentials(&self) -> Vec<(TaskId, WorkspaceId)> {
        let kept = self.kept_credentials();
        kept.iter()
            .map(|(task, kept)| (task.clone(), kept.workspace.clone()))
            .collect()
    }

    /// Says that this server has the credentials that it has, and forgets those of tasks that have ended, here or elsewhere.
    pub(super) async fn renew_credentials(self: Arc<Self>) {
        let mut renewals = tokio::time::interval(RENEWAL);
        loop {
            renewals.tick().await;
            for (task, workspace) in self.tasks_with_credentials() {
                let update = Update::new(keys::task(&workspace, &task))
                    .set("credentials_until", Timestamp::now().seconds() + LEASE)
                    .when(is_open());
                match self.table.try_update::<serde_json::Value>(update).await {
                    Ok(Some(_)) => {}
                    Ok(None) => self.drop_credentials(&task),
                    Err(error) => {
                        tracing::warn!(%task, %error, "that this server has a task's credentials could not be written");
                    }
                }
            }
        }
    }
}
