//! Writes executions and their counters, many at a time.
//!
//! Invariant: an execution, its counts and its entry in the [`activity`] are one transaction, which fails when the function is gone: nothing of a
//! deleted function comes back.

use futures::StreamExt as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::activity;
use super::group::{Pending, size_of_value, together};
use crate::model::deployment::AppName;
use crate::model::error::{Error, Result};
use crate::model::execution::{Execution, ExecutionStatus};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::port::keys;
use crate::port::store::{Condition, EXPIRES_AT, Key, Write};
use crate::service::statistics::{Measurement, Scope, Statistics};
use crate::service::table::{Table, internal, to_item};

/// Executions nobody waits for are at most this old when they are written.
const GROUP_TIME: Duration = Duration::from_millis(60);
/// Workspaces written for at the same time: one transaction at a time keeps a workspace's counters free of conflicts.
const WRITERS: usize = 8;
/// Executions in memory at most; beyond, callers wait for the store.
const QUEUE: usize = 8_192;
/// Calls that wait so at most: their callers may be gone, and so bound nothing.
const WAITING: usize = 8_192;
/// Calls that wait until they are written, with the whole answer.
const DURABLE: usize = 512;

/// In whose name a call ran.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Function {
        workspace: WorkspaceId,
        function: FunctionId,
    },
    /// An app that belongs to no function: recorded, not counted.
    App(AppName),
}

impl Owner {
    fn partition(&self) -> String {
        match self {
            Self::Function { function, .. } => keys::function_partition(function),
            Self::App(app) => keys::app_partition(app),
        }
    }

    fn workspace(&self) -> Option<&WorkspaceId> {
        match self {
            Self::Function { workspace, .. } => Some(workspace),
            Self::App(_) => None,
        }
    }

    fn existence(&self) -> Key {
        match self {
            Self::Function { function, .. } => keys::function_owner(function),
            Self::App(app) => keys::app(app),
        }
    }

    fn scopes(&self) -> Vec<Scope> {
        match self {
            Self::Function {
                workspace,
                function,
            } => vec![Scope::function(function), Scope::workspace(workspace)],
            Self::App(_) => Vec::new(),
        }
    }
}

enum Message {
    Record {
        owner: Owner,
        execution: Box<Execution>,
        written: Option<oneshot::Sender<Result<()>>>,
    },
    Flush(oneshot::Sender<()>),
}

/// The writing end.
#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Message>,
    waiting: Arc<Semaphore>,
    durable: Arc<Semaphore>,
    /// Executions that found no room.
    lost: Arc<AtomicU64>,
}

impl Recorder {
    /// Executions are kept for `retention_days`.
    pub fn start(table: Table, statistics: Arc<Statistics>, retention_days: u32) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let lost = Arc::<AtomicU64>::default();
        let writer = Writer {
            lost: lost.clone(),
            table,
            statistics,
            retention_seconds: i64::from(retention_days) * 86_400,
        };
        tokio::spawn(writer.run(messages));
        Self {
            queue,
            waiting: Arc::new(Semaphore::new(WAITING)),
            durable: Arc::new(Semaphore::new(DURABLE)),
            lost,
        }
    }

    /// Records soon; a crash within the next 100 ms may lose it, and so does a store that is too slow for too long.
    pub async fn record(&self, owner: Owner, execution: Execution) {
        let Ok(_place) = self.waiting.try_acquire() else {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let sent = self
            .queue
            .send(Message::Record {
                owner,
                execution: Box::new(execution),
                written: None,
            })
            .await;
        if sent.is_err() {
            tracing::error!("the recorder has stopped; an execution is lost");
        }
    }

    /// Records now: it is durable when this answers. Where it fails the function was called all the same, so that trying again is no cure.
    pub async fn record_durably(&self, owner: Owner, execution: Execution) -> Result<()> {
        let Ok(_place) = self.durable.try_acquire() else {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return Err(unrecorded("the store is too slow"));
        };
        let (written, answer) = oneshot::channel();
        let stopped = || unrecorded("the server stops");
        self.queue
            .send(Message::Record {
                owner,
                execution: Box::new(execution),
                written: Some(written),
            })
            .await
            .map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Answers when all that was recorded before is written.
    pub async fn flush(&self) {
        let (done, answer) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            let _ = answer.await;
        }
    }
}

fn unrecorded(why: &str) -> Error {
    internal(
        "RECORD_ERROR",
        format!("a call could not be recorded: {why}"),
    )
}

struct Writer {
    lost: Arc<AtomicU64>,
    table: Table,
    statistics: Arc<Statistics>,
    retention_seconds: i64,
}

impl Writer {
    async fn run(self, mut messages: mpsc::Receiver<Message>) {
        while let Some(first) = messages.recv().await {
            let mut groups: BTreeMap<Owner, Vec<Pending>> = BTreeMap::new();
            let mut flushed = Vec::new();
            let mut urgent = take(first, &mut groups, &mut flushed);
            let deadline = tokio::time::Instant::now() + GROUP_TIME;
            let mut count = 1;
            while count < QUEUE {
                let next = if urgent {
                    messages.try_recv().ok()
                } else {
                    tokio::time::timeout_at(deadline, messages.recv())
                        .await
                        .ok()
                        .flatten()
                };
                let Some(message) = next else { break };
                urgent |= take(message, &mut groups, &mut flushed);
                count += 1;
            }
            let mut workspaces: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for (owner, pending) in groups {
                let workspace = owner.workspace().cloned();
                workspaces
                    .entry(workspace)
                    .or_default()
                    .push((owner, pending));
            }
            futures::stream::iter(workspaces.into_values())
                .for_each_concurrent(WRITERS, |owners| self.write_all(owners))
                .await;
            for done in flushed {
                let _ = done.send(());
            }
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::error!(
                    executions = lost,
                    "the store was too slow: executions were not recorded"
                );
            }
        }
    }

    async fn write_all(&self, owners: Vec<(Owner, Vec<Pending>)>) {
        for (owner, mut pending) in owners {
            while !pending.is_empty() {
                let rest = pending.split_off(together(&pending));
                self.write(&owner, std::mem::replace(&mut pending, rest))
                    .await;
            }
        }
    }

    async fn write(&self, owner: &Owner, group: Vec<Pending>) {
        let result = self.write_with_retries(owner, &group).await;
        if let Err(error) = &result {
            tracing::error!(%error, executions = group.len(), "executions could not be recorded");
        }
        for (_, written) in group {
            if let Some(written) = written {
                let _ = written.send(result.clone());
            }
        }
    }

    async fn write_with_retries(&self, owner: &Owner, group: &[Pending]) -> Result<()> {
        let writes = self.writes(owner, group)?;
        let measurements = measurements(group);
        let counted: Vec<_> = scopes(owner, &measurements)
            .into_iter()
            .map(|scope| (scope, measurements.clone()))
            .collect();
        let token = uuid::Uuid::now_v7().to_string();
        let mut pause = Duration::from_millis(20);
        loop {
            let attempt = self
                .statistics
                .record(
                    &counted,
                    self.table.try_transact(writes.clone(), Some(&token)),
                )
                .await;
            match attempt {
                // The function was deleted meanwhile: its executions go with it.
                Ok(_) => return Ok(()),
                Err(error) if error.is_retryable() && pause < Duration::from_secs(1) => {
                    tokio::time::sleep(pause).await;
                    pause *= 3;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn writes(&self, owner: &Owner, group: &[Pending]) -> Result<Vec<Write>> {
        let (partition, shard) = (owner.partition(), self.statistics.shard());
        let mut writes = vec![Write::Check {
            key: owner.existence(),
            condition: Condition::Exists,
        }];
        for (execution, _) in group {
            let mut item = to_item(execution)?;
            if item.values().map(size_of_value).sum::<usize>() > 350_000 {
                return Err(internal(
                    "RECORD_ERROR",
                    "an execution is larger than an item may be",
                ));
            }
            let expires_at = execution.timestamp.seconds() + self.retention_seconds;
            item.insert(EXPIRES_AT.to_owned(), Value::from(expires_at));
            activity::note_shard(&mut item, shard);
            let key = keys::execution(&partition, execution.timestamp, &execution.id);
            writes.push(Write::put(key, item));
        }
        if let Owner::Function {
            workspace,
            function,
        } = owner
        {
            let seconds = group.iter().map(|(one, _)| one.timestamp.seconds());
            let kept = self.retention_seconds;
            let entries = activity::entries(workspace, function, shard, seconds.collect(), kept);
            writes.extend(entries);
        }
        let measurements = measurements(group);
        for scope in scopes(owner, &measurements) {
            let updates = self.statistics.updates(&scope, &measurements);
            writes.extend(updates.into_iter().map(Write::Update));
        }
        Ok(writes)
    }
}

/// Whether someone waits.
fn take(
    message: Message,
    groups: &mut BTreeMap<Owner, Vec<Pending>>,
    flushed: &mut Vec<oneshot::Sender<()>>,
) -> bool {
    match message {
        Message::Record {
            owner,
            execution,
            written,
        } => {
            let urgent = written.is_some();
            groups.entry(owner).or_default().push((execution, written));
            urgent
        }
        Message::Flush(done) => {
            flushed.push(done);
            true
        }
    }
}

/// What is counted: drafts and replays are not.
fn measurements(group: &[Pending]) -> Vec<Measurement> {
    group
        .iter()
        .filter(|(execution, _)| !execution.trigger.is_aside())
        .map(|(execution, _)| measurement(execution))
        .collect()
}

fn scopes(owner: &Owner, measurements: &[Measurement]) -> Vec<Scope> {
    if measurements.is_empty() {
        Vec::new()
    } else {
        owner.scopes()
    }
}

fn measurement(execution: &Execution) -> Measurement {
    Measurement {
        at: execution.timestamp,
        failed: execution.status == ExecutionStatus::Error,
        duration_us: (execution.duration * 1_000.0) as u64,
        cpu_us: execution.cpu_ms.map_or(0, |cpu| (cpu * 1_000.0) as u64),
    }
}
