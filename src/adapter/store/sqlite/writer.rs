//! The one thread that writes, many callers' work in one commit.

use rusqlite::Connection;
use std::sync::Arc;
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

use super::change::{self, Change, Fault};
use super::connection::failed;
use crate::port::store::{Item, StoreError};
use crate::port::versions::Versions;

/// Callers that may wait; one more is told that the store is busy.
const QUEUE: usize = 4096;
const LARGEST_GROUP: usize = 64;
/// How long a group waits for the callers that the group before it had.
const LONGEST_WAIT: Duration = Duration::from_millis(2);

pub(super) enum Work {
    Write(Change),
    /// `token` makes the transaction count once.
    Transact {
        changes: Vec<Change>,
        token: Option<String>,
    },
    /// `now` is in seconds since the epoch.
    Purge {
        now: i64,
        limit: usize,
    },
}

impl Work {
    fn count(&self, versions: &Versions) {
        match self {
            Self::Write(change) => versions.change(change.partition()),
            Self::Transact { changes, .. } => {
                for change in changes {
                    versions.change(change.partition());
                }
            }
            Self::Purge { .. } => versions.change_all(),
        }
    }
}

#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    Updated(Item),
    Purged(usize),
}

struct Request {
    work: Work,
    reply: oneshot::Sender<Result<Outcome, StoreError>>,
}

/// Dropping it waits until everything queued is committed.
pub(super) struct Writer {
    queue: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(connection: Connection, versions: Arc<Versions>) -> Result<Self, StoreError> {
        let (queue, requests) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, &requests, &versions))
            .map_err(|error| {
                StoreError::Failed(format!("cannot start the writer's thread: {error}"))
            })?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Answers once the work is committed. A caller that goes away does not take its work back.
    pub async fn submit(&self, work: Work) -> Result<Outcome, StoreError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue
            .try_send(Request { work, reply })
            .map_err(|error| match error {
                TrySendError::Full(_) => StoreError::Busy,
                TrySendError::Disconnected(_) => stopped(),
            })?;
        answer.await.map_err(|_| stopped())?
    }

    pub fn check(&self) -> Result<(), StoreError> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            Err(stopped())
        } else {
            Ok(())
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer had panicked");
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Failed("the writer has stopped: restart the server".to_owned())
}

fn run(connection: Connection, requests: &Receiver<Request>, versions: &Versions) {
    let mut expected = 1;
    while let Some(group) = collect(requests, expected) {
        expected = group.len();
        commit(&connection, group, versions);
    }
}

/// What is queued; `None` when no caller is left.
///
/// While one group is synced to the disk the next one gathers by itself. Only when the last group had company is it worth waiting a moment:
/// its callers come back together, and the first of them should not get a commit of its own. A lone caller never waits.
fn collect(requests: &Receiver<Request>, expected: usize) -> Option<Vec<Request>> {
    let mut group = vec![requests.recv().ok()?];
    let deadline = Instant::now() + LONGEST_WAIT;
    while group.len() < LARGEST_GROUP {
        match requests.try_recv() {
            Ok(request) => group.push(request),
            Err(TryRecvError::Empty) if group.len() < expected => {
                match requests.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                    Ok(request) => group.push(request),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    Some(group)
}

/// One transaction for the group; every caller hears of its own work once it is durable, and all of them when it could not be made so.
fn commit(connection: &Connection, group: Vec<Request>, versions: &Versions) {
    match perform_all(connection, &group) {
        Ok(answers) => {
            // Before any caller hears of its work: whoever knows of a change finds no older version.
            for request in &group {
                request.work.count(versions);
            }
            for (request, answer) in group.into_iter().zip(answers) {
                // The caller may have gone away.
                let _ = request.reply.send(answer);
            }
        }
        Err(error) => {
            tracing::error!(%error, writes = group.len(), "a group of writes was taken back");
            if !connection.is_autocommit()
                && let Err(error) = connection.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "the failed group could not be rolled back");
            }
            for request in group {
                let _ = request.reply.send(Err(same_again(&error)));
            }
        }
    }
}

fn perform_all(
    connection: &Connection,
    group: &[Request],
) -> Result<Vec<Result<Outcome, StoreError>>, StoreError> {
    connection
        .prepare_cached("BEGIN IMMEDIATE")
        .and_then(|mut begin| begin.execute([]))
        .map_err(failed)?;
    let mut answers = Vec::with_capacity(group.len());
    for request in group {
        answers.push(match perform(connection, &request.work) {
            Ok(outcome) => Ok(outcome),
            Err(Fault::Refused(error)) => Err(error),
            Err(Fault::Broken(error)) => return Err(error),
        });
    }
    connection
        .prepare_cached("COMMIT")
        .and_then(|mut commit| commit.execute([]))
        .map_err(failed)?;
    Ok(answers)
}

fn perform(connection: &Connection, work: &Work) -> Result<Outcome, Fault> {
    match work {
        Work::Write(change) => {
            Ok(change::write(connection, change)?.map_or(Outcome::Done, Outcome::Updated))
        }
        Work::Transact { changes, token } => {
            change::transact(connection, changes, token.as_deref(), now()).map(|()| Outcome::Done)
        }
        Work::Purge { now, limit } => change::purge(connection, *now, *limit).map(Outcome::Purged),
    }
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| {
            i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
        })
}

fn same_again(error: &StoreError) -> StoreError {
    match error {
        StoreError::ConditionFailed { index } => StoreError::ConditionFailed { index: *index },
        StoreError::Busy => StoreError::Busy,
        StoreError::Failed(text) => StoreError::Failed(text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::open_for_writing;
    use super::*;
    use crate::port::store::{Key, Write};
    use serde_json::json;

    fn put(sk: &str, bytes: usize) -> Work {
        let item = json!({"text": "x".repeat(bytes)})
            .as_object()
            .unwrap()
            .clone();
        Work::Write(Change::new(Write::put(Key::new("p", sk), item)).unwrap())
    }

    fn request(work: Work) -> (Request, oneshot::Receiver<Result<Outcome, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Request { work, reply }, answer)
    }

    fn table(directory: &tempfile::TempDir) -> Connection {
        open_for_writing(&directory.path().join("blue-faas.db")).unwrap()
    }

    fn items(connection: &Connection) -> i64 {
        connection
            .query_row("SELECT count(*) FROM items", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_full_disk_is_told_to_every_caller_of_the_group_and_writes_go_on_when_there_is_room() {
        let directory = tempfile::tempdir().unwrap();
        let connection = table(&directory);
        connection
            .execute_batch("PRAGMA max_page_count = 40")
            .unwrap();
        let (group, answers): (Vec<_>, Vec<_>) = (0..8)
            .map(|n| request(put(&format!("{n}"), 100_000)))
            .unzip();
        commit(&connection, group, &Versions::default());
        for answer in answers {
            let error = answer.blocking_recv().unwrap().unwrap_err().to_string();
            assert!(error.contains("is full"), "{error}");
        }
        assert_eq!(items(&connection), 0);

        connection
            .execute_batch("PRAGMA max_page_count = 4000")
            .unwrap();
        let (again, answer) = request(put("later", 100_000));
        commit(&connection, vec![again], &Versions::default());
        assert!(answer.blocking_recv().unwrap().is_ok());
        assert_eq!(items(&connection), 1);
    }

    #[test]
    fn one_refused_write_leaves_the_rest_of_its_group_alone() {
        let directory = tempfile::tempdir().unwrap();
        let connection = table(&directory);
        let create = || {
            Work::Write(
                Change::new(Write::create(Key::new("p", "same"), serde_json::Map::new())).unwrap(),
            )
        };
        let (group, answers): (Vec<_>, Vec<_>) = [put("a", 1), create(), create(), put("b", 1)]
            .into_iter()
            .map(request)
            .unzip();
        commit(&connection, group, &Versions::default());
        let answers: Vec<bool> = answers
            .into_iter()
            .map(|answer| answer.blocking_recv().unwrap().is_ok())
            .collect();
        assert_eq!(answers, [true, true, false, true]);
        assert_eq!(items(&connection), 3);
    }

    #[test]
    fn what_is_queued_is_one_group_of_at_most_sixty_four() {
        let (queue, requests) = sync_channel(QUEUE);
        for n in 0..100 {
            queue.send(request(put(&format!("{n}"), 1)).0).unwrap();
        }
        assert_eq!(collect(&requests, 1).unwrap().len(), 64);
        assert_eq!(collect(&requests, 1).unwrap().len(), 36);
        drop(queue);
        assert!(collect(&requests, 1).is_none());
    }

    #[test]
    fn a_group_waits_for_the_company_of_the_last_one_but_not_for_long() {
        let (queue, requests) = sync_channel(QUEUE);
        queue.send(request(put("a", 1)).0).unwrap();
        let started = Instant::now();
        assert_eq!(collect(&requests, 5).unwrap().len(), 1);
        assert!(started.elapsed() >= LONGEST_WAIT);

        let late = std::thread::spawn(move || {
            queue.send(request(put("b", 1)).0).unwrap();
            queue.send(request(put("c", 1)).0).unwrap();
        });
        late.join().unwrap();
        assert_eq!(collect(&requests, 2).unwrap().len(), 2);
    }

    #[test]
    fn dropping_the_writer_finishes_what_is_queued() {
        let directory = tempfile::tempdir().unwrap();
        let writer = Writer::start(table(&directory), Arc::default()).unwrap();
        let queue = writer.queue.as_ref().unwrap();
        for n in 0..200 {
            queue.send(request(put(&format!("{n}"), 100)).0).unwrap();
        }
        drop(writer);
        assert_eq!(items(&table(&directory)), 200);
    }
}
