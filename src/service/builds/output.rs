//! A task's output: lines in chunks, bounded, written while it runs and read by anyone.

use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

use super::Builds;
use crate::model::error::Result;
use crate::model::id::TaskId;
use crate::model::task::{StageName, TaskLine};
use crate::model::time::Timestamp;
use crate::port::builder::Progress;
use crate::port::keys;
use crate::port::store::{Query, SortRange, Write};
use crate::service::table::{Table, to_item};

/// Bytes of output kept per task.
const MAX_OUTPUT: usize = 1024 * 1024;
/// Bytes of one line kept.
const MAX_LINE: usize = 4 * 1024;

#[derive(Serialize, Deserialize)]
struct Chunk {
    lines: Vec<TaskLine>,
}

#[derive(Default)]
struct Pending {
    /// Lines that are not written yet.
    lines: Vec<TaskLine>,
    stages: Vec<(StageName, Timestamp)>,
    sequence: u64,
    bytes: usize,
}

/// Collects what a builder says; the engine writes it every so often.
pub(super) struct Output {
    task: TaskId,
    pending: Mutex<Pending>,
    pub(super) changed: Arc<Notify>,
}

impl Output {
    /// Lines go on after `sequence`, where an earlier run of the task stopped.
    pub(super) fn new(task: TaskId, sequence: u64) -> Arc<Self> {
        Arc::new(Self {
            task,
            pending: Mutex::new(Pending {
                sequence,
                ..Pending::default()
            }),
            changed: Arc::new(Notify::new()),
        })
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stages entered since the last call.
    pub(super) fn take_stages(&self) -> Vec<(StageName, Timestamp)> {
        std::mem::take(&mut self.pending().stages)
    }

    pub(super) async fn write_lines(&self, table: &Table) -> Result<()> {
        let lines = std::mem::take(&mut self.pending().lines);
        // A chunk stays far below what an item may hold.
        for chunk in lines.chunks(60) {
            let key = keys::task_lines(&self.task, chunk[0].sequence);
            table
                .write(Write::put(
                    key,
                    to_item(&Chunk {
                        lines: chunk.to_vec(),
                    })?,
                ))
                .await?;
        }
        Ok(())
    }
}

impl Progress for Output {
    fn stage(&self, name: StageName) {
        self.pending().stages.push((name, Timestamp::now()));
        self.changed.notify_one();
    }

    fn line(&self, stage: StageName, text: &str) {
        let mut pending = self.pending();
        if pending.bytes >= MAX_OUTPUT {
            return;
        }
        let mut end = text.len().min(MAX_LINE);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut text = text[..end].trim_end().to_owned();
        pending.bytes += text.len() + 64;
        if pending.bytes >= MAX_OUTPUT {
            "The output is longer than is kept; the rest is left out.".clone_into(&mut text);
        }
        pending.sequence += 1;
        let sequence = pending.sequence;
        pending.lines.push(TaskLine {
            sequence,
            at: Timestamp::now(),
            stage,
            text,
        });
        drop(pending);
        self.changed.notify_one();
    }
}

impl Builds {
    /// The lines of a task after the one with this sequence.
    pub async fn lines(&self, id: &TaskId, after: u64) -> Result<Vec<TaskLine>> {
        // The chunk that holds the next line may begin before it.
        let from = keys::task_lines(id, after.saturating_sub(60));
        let range = SortRange::Between(from.sk, format!("{}~", keys::LINES_PREFIX));
        let query = Query {
            pk: from.pk,
            range,
            forward: true,
            limit: 1_000,
            after: None,
        };
        let chunks: Vec<Chunk> = self.table.all(query).await?;
        Ok(chunks
            .into_iter()
            .flat_map(|chunk| chunk.lines)
            .filter(|line| line.sequence > after)
            .collect())
    }

    pub(super) async fn last_sequence(&self, id: &TaskId) -> Result<u64> {
        let newest: Vec<Chunk> = self
            .table
            .first(
                Query::prefix(keys::task_partition(id), keys::LINES_PREFIX).newest_first(),
                1,
            )
            .await?;
        Ok(newest
            .first()
            .and_then(|chunk| chunk.lines.last())
            .map_or(0, |line| line.sequence))
    }
}
