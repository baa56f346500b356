//! Server-sent events: what happens, as it happens.

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::extract::Ids;
use crate::model::error::{ErrorKind, Result};
use crate::model::execution::{Execution, ExecutionFilter};
use crate::model::id::ExecutionId;
use crate::model::metrics::LogLine;
use crate::model::time::Timestamp;
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::kept::Stamp;
use crate::service::new_id::execution_time;

const POLL: Duration = Duration::from_secs(1);
/// Rows asked for at once, and how often in one look: a function may be called more often than anybody can read.
const ROWS: u32 = 1_000;
const PAGES: usize = 5;

/// Ends when the server stops: a stream has no end of its own to wait for.
#[derive(Clone)]
pub struct Stopping(pub CancellationToken);

/// Where events come from.
pub trait Follow: Send + 'static {
    /// The next events, waiting for them; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Vec<Event>>> + Send;
}

pub fn wants_events(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/event-stream"))
}

/// Where a client that lost its connection had come to.
pub fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id")?.to_str().ok()
}

pub fn events(follow: impl Follow, Stopping(stopping): Stopping) -> Response {
    let start = (follow, stopping);
    let stream = futures::stream::unfold(start, |(mut follow, stopping)| async move {
        let events = tokio::select! {
            events = follow.next() => events?,
            () = stopping.cancelled() => return None,
        };
        let events: Vec<Result<Event, Infallible>> = events.into_iter().map(Ok).collect();
        Some((futures::stream::iter(events), (follow, stopping)))
    });
    let stream = futures::StreamExt::flatten(stream);
    Sse::new(stream)
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// An execution is recorded when it ends under the time when it began. So each look begins this long before the newest that was seen.
fn overlap(timeout: u32) -> i64 {
    i64::from(timeout) + 5
}

/// Whether following goes on after a failure: the store may be busy, but what was deleted does not come back.
fn is_over(kind: ErrorKind) -> bool {
    kind == ErrorKind::NotFound
}

/// A function's executions that pass a filter, oldest first.
pub struct FollowedExecutions {
    services: Services,
    ids: Ids,
    filter: ExecutionFilter,
    /// Seconds that a look goes back.
    overlap: i64,
    /// When the newest one began that was seen.
    newest: Timestamp,
    seen: HashSet<ExecutionId>,
    stamp: Option<Stamp>,
}

impl FollowedExecutions {
    /// From now on, or after the execution `last`.
    pub async fn new(
        services: Services,
        ids: Ids,
        filter: ExecutionFilter,
        last: Option<&str>,
    ) -> Result<Self> {
        let (function, _) = services
            .functions
            .get(&Actor::anonymous(), &ids.workspace, &ids.function)
            .await?;
        let last = last.and_then(|id| ExecutionId::parse(id).ok());
        let since = last.as_ref().and_then(execution_time);
        let mut followed = Self {
            services,
            ids,
            filter,
            overlap: overlap(function.timeout.seconds()),
            newest: since.unwrap_or_else(Timestamp::now),
            seen: HashSet::new(),
            stamp: None,
        };
        let known = followed.look().await?;
        let was_sent = |execution: &Execution| match (&last, since) {
            (Some(last), Some(since)) => (execution.timestamp, &execution.id) <= (since, last),
            _ => true,
        };
        followed.seen = known
            .into_iter()
            .filter(was_sent)
            .map(|execution| execution.id)
            .collect();
        Ok(followed)
    }

    /// Those within the overlap and after it, newest first; of more than 5,000 the newest.
    async fn look(&self) -> Result<Vec<Execution>> {
        let begin = self.newest.plus_seconds(-self.overlap);
        let mut filter = ExecutionFilter {
            from: Some(self.filter.from.map_or(begin, |from| from.max(begin))),
            limit: Some(ROWS),
            cursor: None,
            ..self.filter.clone()
        };
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let executions = &self.services.executions;
            let page = executions
                .list(
                    &Actor::anonymous(),
                    &self.ids.workspace,
                    &self.ids.function,
                    &filter,
                )
                .await?;
            found.extend(page.executions);
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Those that were not sent yet, oldest first.
    async fn fresh(&mut self) -> Result<Vec<Execution>> {
        let found = self.look().await?;
        let seen = found.iter().map(|execution| execution.id.clone()).collect();
        let before = std::mem::replace(&mut self.seen, seen);
        let newest = found.iter().map(|execution| execution.timestamp).max();
        self.newest = newest.map_or(self.newest, |newest| newest.max(self.newest));
        let mut fresh: Vec<Execution> = found
            .into_iter()
            .filter(|execution| !before.contains(&execution.id))
            .collect();
        fresh.reverse();
        Ok(fresh)
    }
}

impl Follow for FollowedExecutions {
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            let executions = &self.services.executions;
            let stamp = executions.list_stamp(&self.ids.workspace, &self.ids.function);
            // Where others write too there are no stamps, and only a look tells.
            if stamp.is_none() || stamp != self.stamp {
                match self.fresh().await {
                    Ok(fresh) => {
                        self.stamp = stamp;
                        if !fresh.is_empty() {
                            return Some(fresh.iter().filter_map(execution_event).collect());
                        }
                    }
                    Err(error) if is_over(error.kind) => return None,
                    Err(_) => {}
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn execution_event(execution: &Execution) -> Option<Event> {
    let event = Event::default().event("execution");
    event.id(execution.id.as_str()).json_data(execution).ok()
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
            .lines(
                &Actor::anonymous(),
                &self.ids.function,
                ROWS as usize,
                Some(begin),
            )
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
