//! Server-sent events: what happens, as it happens.

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::accept::prefers;
use super::extract::Ids;
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::execution::{Execution, ExecutionFilter, ExecutionPage};
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::model::metrics::LogLine;
use crate::model::time::Timestamp;
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::kept::Stamp;
use crate::service::new_id::execution_time;

pub const EVENTS: &str = "text/event-stream";
const POLL: Duration = Duration::from_secs(1);
/// Lines of one look.
const LINES: usize = 1_000;
/// Executions that are read at once, and how often in one look: a function may be called more often than anybody can read.
const ROWS: u32 = 200;
const PAGES: usize = 25;
/// Bytes of executions that one look keeps, as they are sent.
const MOST_KEPT: usize = 8 * 1024 * 1024;
/// Streams at the same time in this server: each asks the store once a second.
const MOST_STREAMS: usize = 256;
/// Seconds after which one who found no place may ask again.
const FULL: u32 = 10;

/// The streams that are open. They end when the server stops: a stream has no end of its own to wait for.
#[derive(Clone)]
pub struct Streams {
    stopping: CancellationToken,
    places: Arc<Semaphore>,
}

/// Where events come from.
pub trait Follow: Send + 'static {
    /// The next events, waiting for them; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Vec<Event>>> + Send;
}

pub fn wants_events(headers: &HeaderMap) -> bool {
    prefers(headers, EVENTS, "application/json")
}

/// Where a client that lost its connection had come to.
pub fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id")?.to_str().ok()
}

impl Streams {
    pub fn new(stopping: CancellationToken) -> Self {
        let places = Arc::new(Semaphore::new(MOST_STREAMS));
        Self { stopping, places }
    }

    /// What `follow` comes to, as it happens, if there is a place for it.
    pub async fn events<F: Follow>(
        &self,
        follow: impl Future<Output = Result<F>>,
    ) -> Result<Response> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| too_many())?;
        let start = (follow.await?, self.stopping.clone(), place);
        let stream = futures::stream::unfold(start, |(mut follow, stopping, place)| async move {
            let events = tokio::select! {
                events = follow.next() => events?,
                () = stopping.cancelled() => return None,
            };
            let events: Vec<Result<Event, Infallible>> = events.into_iter().map(Ok).collect();
            Some((futures::stream::iter(events), (follow, stopping, place)))
        });
        let stream = futures::StreamExt::flatten(stream);
        Ok(Sse::new(stream)
            .keep_alive(KeepAlive::default())
            .into_response())
    }
}

fn too_many() -> Error {
    Error {
        retry_after: Some(FULL),
        ..Error::overloaded(format!(
            "{MOST_STREAMS} streams of events are open, as many as this server follows. Close one, or ask again later."
        ))
    }
}

/// An execution is recorded when it ends under the time when it began. So each look begins this long before the newest that was seen.
fn overlap(timeout: u32) -> i64 {
    i64::from(timeout) + 5
}

/// Whether following goes on after a failure: the store may be busy, but what was deleted does not come back.
fn is_over(kind: ErrorKind) -> bool {
    kind == ErrorKind::NotFound
}

/// A function's executions that pass a filter, or those of all functions of a workspace, oldest first.
pub struct FollowedExecutions {
    services: Services,
    workspace: WorkspaceId,
    function: Option<FunctionId>,
    filter: ExecutionFilter,
    /// Seconds that a look goes back.
    overlap: i64,
    /// When the newest one began that was seen.
    newest: Timestamp,
    /// Looks begin here: what began before was recorded long ago.
    begin: Timestamp,
    /// Those that began since, and were sent.
    told: HashSet<ExecutionId>,
    /// The next look has time.
    looked: bool,
    stamp: Option<Stamp>,
}

/// What one look found.
#[derive(Default)]
struct Look {
    told: HashSet<ExecutionId>,
    /// Not sent yet, newest first.
    fresh: VecDeque<(ExecutionId, String)>,
    /// Bytes of them.
    size: usize,
    newest: Option<Timestamp>,
    /// Newer ones were found than are kept.
    more: bool,
}

impl Look {
    /// Keeps the oldest.
    fn keep(&mut self, execution: &Execution) {
        let Ok(text) = serde_json::to_string(execution) else {
            return;
        };
        self.size += text.len();
        self.fresh.push_back((execution.id.clone(), text));
        while self.size > MOST_KEPT && self.fresh.len() > 1 {
            if let Some((_, text)) = self.fresh.pop_front() {
                self.size -= text.len();
                self.more = true;
            }
        }
    }
}

impl FollowedExecutions {
    /// From now on, or after the execution `last`.
    pub async fn new(
        services: Services,
        workspace: WorkspaceId,
        function: Option<FunctionId>,
        filter: ExecutionFilter,
        last: Option<&str>,
    ) -> Result<Self> {
        let (executions, actor) = (&services.executions, Actor::anonymous());
        let longest = executions.longest_call(&actor, &workspace, function.as_ref());
        let overlap = overlap(longest.await?);
        let last = last.and_then(|id| ExecutionId::parse(id).ok());
        let since = last.as_ref().and_then(execution_time);
        let newest = since.unwrap_or_else(Timestamp::now);
        let mut followed = Self {
            services,
            workspace,
            function,
            filter,
            overlap,
            newest,
            begin: newest.plus_seconds(-overlap),
            told: HashSet::new(),
            looked: false,
            stamp: None,
        };
        let was_sent = |execution: &Execution| match (&last, since) {
            (Some(last), Some(since)) => (execution.timestamp, &execution.id) <= (since, last),
            _ => true,
        };
        followed.told = followed.look(was_sent).await?.told;
        Ok(followed)
    }

    /// Of more than 5,000 since the beginning the newest.
    async fn look(&self, was_sent: impl Fn(&Execution) -> bool) -> Result<Look> {
        let mut filter = ExecutionFilter {
            from: Some(
                self.filter
                    .from
                    .map_or(self.begin, |from| from.max(self.begin)),
            ),
            limit: Some(ROWS),
            cursor: None,
            ..self.filter.clone()
        };
        let mut look = Look::default();
        for _ in 0..PAGES {
            let page = self.page(&filter).await?;
            // With more behind it, a short page is one for which as much was read as a look may.
            let is_short = page.executions.len() < ROWS as usize;
            for execution in page.executions {
                look.newest = look.newest.max(Some(execution.timestamp));
                if was_sent(&execution) {
                    look.told.insert(execution.id);
                } else {
                    look.keep(&execution);
                }
            }
            filter.cursor = page.next;
            if filter.cursor.is_none() || is_short {
                break;
            }
        }
        Ok(look)
    }

    async fn page(&self, filter: &ExecutionFilter) -> Result<ExecutionPage> {
        let (executions, actor) = (&self.services.executions, Actor::anonymous());
        let workspace = &self.workspace;
        if let Some(function) = &self.function {
            executions.list(&actor, workspace, function, filter).await
        } else {
            executions.list_workspace(&actor, workspace, filter).await
        }
    }

    /// Where others write too there is none, and only a look tells.
    fn newest_stamp(&self) -> Option<Stamp> {
        let executions = &self.services.executions;
        match &self.function {
            Some(function) => executions.list_stamp(&self.workspace, function),
            None => executions.list_workspace_stamp(&self.workspace),
        }
    }

    /// The next events, if there is news.
    async fn news(&mut self) -> Result<Vec<Event>> {
        let stamp = self.newest_stamp();
        if stamp.is_some() && stamp == self.stamp {
            return Ok(Vec::new());
        }
        let (events, more) = self.fresh().await?;
        self.looked = !more;
        self.stamp = stamp.filter(|_| !more);
        Ok(events)
    }

    /// Those that were not sent yet, oldest first, and whether there are more.
    async fn fresh(&mut self) -> Result<(Vec<Event>, bool)> {
        let look = self.look(|execution| self.told.contains(&execution.id));
        let mut look = look.await?;
        look.told
            .extend(look.fresh.iter().map(|(id, _)| id.clone()));
        self.told = look.told;
        if !look.more {
            // The server that records may be late, and so may its clock be.
            let settled = Timestamp::now().plus_seconds(-2 * self.overlap);
            self.newest = look
                .newest
                .map_or(self.newest, |newest| newest.max(self.newest));
            let begin = self.newest.plus_seconds(-self.overlap).max(settled);
            self.begin = self.begin.max(begin);
        }
        let events = look.fresh.into_iter().rev().map(|(id, text)| {
            let event = Event::default().event("execution");
            event.id(id.as_str()).data(text)
        });
        Ok((events.collect(), look.more))
    }
}

impl Follow for FollowedExecutions {
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            if std::mem::replace(&mut self.looked, true) {
                tokio::time::sleep(POLL).await;
            }
            match self.news().await {
                Ok(events) if !events.is_empty() => return Some(events),
                Err(error) if is_over(error.kind) => return None,
                Ok(_) | Err(_) => {}
            }
        }
    }
}

/// A function's output, oldest line first.
pub struct FollowedLines {
    services: Services,
    ids: Ids,
    overlap: i64,
    /// Nanoseconds since the epoch: of the newest line that was seen.
    newest: i64,
    /// How many lines of an instant and text were sent: calls of one millisecond may write the same.
    seen: HashMap<(i64, String), usize>,
}

impl FollowedLines {
    /// From now on, or after the line `last`.
    pub async fn new(services: Services, ids: Ids, last: Option<&str>) -> Result<Self> {
        let (function, _) = services
            .functions
            .get(&Actor::anonymous(), &ids.workspace, &ids.function)
            .await?;
        let last: Option<i64> = last.and_then(|text| text.parse().ok());
        let mut followed = Self {
            services,
            ids,
            overlap: overlap(function.timeout.seconds()),
            newest: last.unwrap_or_else(|| Timestamp::now().micros().saturating_mul(1_000)),
            seen: HashMap::new(),
        };
        let known = followed.look().await?;
        let sent = known
            .into_iter()
            .filter(|line| last.is_none_or(|last| line.nanos <= last));
        followed.seen = count(sent);
        Ok(followed)
    }

    async fn look(&self) -> Result<Vec<LogLine>> {
        let begin = self.newest.saturating_sub(self.overlap * 1_000_000_000);
        let observe = &self.services.observe;
        observe
            .lines(&Actor::anonymous(), &self.ids.function, LINES, Some(begin))
            .await
    }

    async fn fresh(&mut self) -> Result<Vec<LogLine>> {
        let found = self.look().await?;
        let mut counted: HashMap<(i64, String), usize> = HashMap::new();
        let mut fresh = Vec::new();
        for line in found {
            self.newest = self.newest.max(line.nanos);
            let key = (line.nanos, line.text.clone());
            let sent = self.seen.get(&key).copied().unwrap_or_default();
            let count = counted.entry(key).or_default();
            *count += 1;
            if *count > sent {
                fresh.push(line);
            }
        }
        self.seen = counted;
        Ok(fresh)
    }
}

fn count(lines: impl Iterator<Item = LogLine>) -> HashMap<(i64, String), usize> {
    let mut counted = HashMap::new();
    for line in lines {
        *counted.entry((line.nanos, line.text)).or_default() += 1;
    }
    counted
}

impl Follow for FollowedLines {
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            match self.fresh().await {
                Ok(fresh) if !fresh.is_empty() => {
                    return Some(fresh.iter().filter_map(line_event).collect());
                }
                Err(error) if is_over(error.kind) => return None,
                Ok(_) | Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }
}

fn line_event(line: &LogLine) -> Option<Event> {
    let event = Event::default().event("line");
    event.id(line.nanos.to_string()).json_data(line).ok()
}
