//! Who works on which task.
//!
//! Invariant: every write of a task's progress and effect carries the fence it was claimed with, so that of two servers that both
//! believe they own a task only the later one is heard. A task whose owner is gone is claimed again when its lease ends.

use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::Builds;
use super::record::TaskRecord;
use crate::model::error::Result;
use crate::model::id::{TaskId, WorkspaceId};
use crate::model::task::{StageStatus, TaskStatus};
use crate::model::time::Timestamp;
use crate::port::keys;
use crate::port::store::{Condition, Query, Update, Write};
use crate::service::figures;

/// Seconds a lease lasts; renewed every third of it.
pub(super) const LEASE: i64 = 15;
/// How often the queue is looked at when nobody rings.
const IDLE: Duration = Duration::from_secs(2);
/// A task whose servers died this often is given up.
const MAX_TRIES: f64 = 4.0;

#[derive(Deserialize)]
struct QueueEntry {
    workspace_id: WorkspaceId,
    task_id: TaskId,
}

impl Builds {
    /// Works on tasks until `stop`; those under way are then given back at once.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let free = Arc::new(Semaphore::new(self.settings.parallelism));
        let warming = stop.child_token();
        tokio::spawn({
            let (builds, warming) = (self.clone(), warming.clone());
            async move { builds.warm_up(warming).await }
        });
        let renewing = self.clone().renew_credentials();
        let _renewing = AbortOnDropHandle::new(tokio::spawn(renewing));
        while !stop.is_cancelled() {
            let permit = tokio::select! {
                permit = free.clone().acquire_owned() => permit,
                () = stop.cancelled() => break,
            };
            let Ok(permit) = permit else { break };
            match self.claim_next().await {
                Ok(Some(task)) => {
                    warming.cancel();
                    let builds = self.clone();
                    let stop = stop.clone();
                    let cancel = CancellationToken::new();
                    // Before the queue is looked at again, or the task would be taken for one that nobody works on.
                    self.running
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(task.task_id.clone(), cancel.clone());
                    let span = tracing::debug_span!("build task", task = %task.task_id);
                    let work = async move {
                        builds.clone().work_on(task, cancel, stop).await;
                        drop(permit);
                        builds.wake.notify_one();
                    };
                    tokio::spawn(work.instrument(span));
                }
                other => {
                    drop(permit);
                    if let Err(error) = other {
                        tracing::warn!(%error, "the build queue could not be read");
                    }
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(IDLE) => {}
                        () = stop.cancelled() => break,
                    }
                }
            }
        }
        // Whoever still runs has heard of the stop and gives its lease back.
        let all = u32::try_from(self.settings.parallelism).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(Duration::from_secs(5), free.acquire_many(all)).await;
    }

    /// The oldest task of the workspace that has the fewest under way. Tasks of one function run one after another, so that what was
    /// asked for last is what serves in the end.
    async fn claim_next(&self) -> Result<Option<TaskRecord>> {
        let entries: Vec<(_, QueueEntry)> = self
            .table
            .all_with_keys(Query::prefix(keys::QUEUE, ""))
            .await?;
        let now = Timestamp::now().seconds();
        let mut under_way: HashMap<WorkspaceId, usize> = HashMap::new();
        let mut open = Vec::new();
        let mut functions = HashSet::new();
        let mut waiting = 0;
        for (place, entry) in entries {
            let Some(task) = self
                .table
                .get::<TaskRecord>(&keys::task(&entry.workspace_id, &entry.task_id))
                .await?
            else {
                self.table.write(Write::delete(place)).await?;
                continue;
            };
            if task.status.is_terminal() {
                self.table.write(Write::delete(place)).await?;
                continue;
            }
            // Entries come in the order they were made.
            let is_next = match &task.function_id {
                Some(function) => functions.insert(function.clone()),
                None => true,
            };
            if self.is_held(&task, now) {
                *under_way.entry(task.workspace_id).or_default() += 1;
            } else {
                waiting += 1;
                if is_next && self.may_begin(&task, now) {
                    open.push(task);
                }
            }
        }
        open.sort_by_key(|task| {
            (
                under_way
                    .get(&task.workspace_id)
                    .copied()
                    .unwrap_or_default(),
                task.created_at,
            )
        });
        for task in open {
            if let Some(claimed) = self.claim(&task, now).await? {
                figures::builds_waiting(waiting - 1);
                return Ok(Some(claimed));
            }
        }
        figures::builds_waiting(waiting);
        Ok(None)
    }

    /// Whether somebody alive works on it. In an exclusive store no other process can: what another one held is free at once.
    fn is_held(&self, task: &TaskRecord, now: i64) -> bool {
        let mine = task.lease_owner.as_deref() == Some(self.process.as_str());
        if mine {
            return self
                .running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains_key(&task.task_id);
        }
        !self.table.is_exclusive() && task.lease_owner.is_some() && task.lease_until > now as f64
    }

    async fn claim(&self, task: &TaskRecord, now: i64) -> Result<Option<TaskRecord>> {
        let update = Update::new(keys::task(&task.workspace_id, &task.task_id))
            .set("lease_owner", self.process.as_str())
            .set("lease_until", now + LEASE)
            .add("fence", 1.0)
            .add("tries", 1.0)
            .when(Condition::All(vec![
                holds(task),
                // Its owner may have ended it since it was read, under the same fence.
                is_open(),
            ]));
        self.table.try_update(update).await
    }

    async fn work_on(
        self: Arc<Self>,
        mut task: TaskRecord,
        cancel: CancellationToken,
        stop: CancellationToken,
    ) {
        let id = task.task_id.clone();
        if task.tries > MAX_TRIES {
            self.give_up(&mut task).await;
        } else {
            let lease = tokio::spawn(self.clone().keep_lease(task.clone(), cancel.clone()));
            let mut run = Box::pin(self.run_task(task.clone(), cancel.clone()));
            let stopped = tokio::select! {
                () = &mut run => false,
                () = stop.cancelled() => true,
            };
            if stopped {
                // The build's child processes end with its future; another server, or the next start, begins anew.
                drop(run);
                self.release(&task).await;
            }
            lease.abort();
        }
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }

    async fn give_up(&self, task: &mut TaskRecord) {
        task.status = TaskStatus::Failed;
        task.error_message = Some("The server stopped several times in the middle of this build. It may need more memory than the machine has. Run it again when the machine is idle.".to_owned());
        task.end_running(StageStatus::Failed, Timestamp::now());
        task.updated_at = Timestamp::now();
        if let Err(error) = self.finish(task, Some(holds(task))).await {
            tracing::warn!(task = %task.task_id, %error, "a task could not be given up");
        }
    }

    /// Lets another server take the task at once; the fence goes up, so that nothing of this owner is heard any more.
    async fn release(&self, task: &TaskRecord) {
        let update = Update::new(keys::task(&task.workspace_id, &task.task_id))
            .remove("lease_owner")
            .set("lease_until", 0)
            .add("fence", 1.0)
            .add("tries", -1.0)
            .when(holds(task));
        let released: Result<Option<serde_json::Value>> = self.table.try_update(update).await;
        if let Err(error) = released {
            tracing::warn!(task = %task.task_id, %error, "a lease could not be given back; it ends by itself");
        }
    }

    /// Renews the lease, and cancels the work when it is lost or when someone asked for that.
    async fn keep_lease(self: Arc<Self>, task: TaskRecord, cancel: CancellationToken) {
        let mut until = Timestamp::now().seconds() + LEASE;
        let mut renewals = tokio::time::interval(Duration::from_secs(1));
        let mut ticks = 0_u32;
        loop {
            renewals.tick().await;
            ticks += 1;
            let key = keys::task(&task.workspace_id, &task.task_id);
            let answer = if ticks.is_multiple_of(5) {
                let renewed = Timestamp::now().seconds() + LEASE;
                let update = Update::new(key)
                    .set("lease_until", renewed)
                    .when(holds(&task));
                let answer: Result<Option<TaskRecord>> = self.table.try_update(update).await;
                if matches!(answer, Ok(Some(_))) {
                    until = renewed;
                }
                answer
            } else {
                self.table.get(&key).await
            };
            match answer {
                Ok(Some(now))
                    if !now.cancel_requested && (now.fence - task.fence).abs() < f64::EPSILON => {}
                // The store may be away for a moment; the work goes on as long as the lease does.
                Err(_) if Timestamp::now().seconds() < until => {}
                Ok(_) | Err(_) => cancel.cancel(),
            }
        }
    }
}

/// The task is still ours.
pub(super) fn holds(task: &TaskRecord) -> Condition {
    Condition::Equals("fence".to_owned(), task.fence.into())
}

/// The task has not ended.
pub(super) fn is_open() -> Condition {
    let open = [
        TaskStatus::Pending,
        TaskStatus::Building,
        TaskStatus::Pushing,
    ];
    let open = open.map(|status| status.as_str().into()).to_vec();
    Condition::OneOf("status".to_owned(), open)
}
