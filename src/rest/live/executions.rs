//! Executions as they are recorded.

use axum::response::sse::Event;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::{Follow, POLL, is_over, overlap};
use crate::model::error::Result;
use crate::model::execution::{Execution, ExecutionFilter, ExecutionPage};
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::kept::Stamp;
use crate::service::new_id::execution_time;

/// Executions that are read at once, and how often in one look: a function may be called more often than anybody can read.
const ROWS: u32 = 200;
const PAGES: usize = 25;
/// Pages of them that are short: each is as much as was read for it, and few passed.
const SHORT_PAGES: usize = 5;
/// Microseconds that looks lag behind at most while there is no backlog.
const LAG: i64 = 10_000_000;
/// Microseconds of a backlog that are not divided any more.
const SHORTEST_SPAN: i64 = 1_000;
/// Bytes of executions that one look keeps, as they are sent.
const MOST_KEPT: usize = 8 * 1024 * 1024;
/// How long a function's timeout counts after it was read.
const TIMEOUT_KNOWN: Duration = Duration::from_mins(1);

/// A function's executions that pass a filter, or those of all functions of a workspace, oldest first.
pub struct FollowedExecutions {
    services: Services,
    workspace: WorkspaceId,
    function: Option<FunctionId>,
    filter: ExecutionFilter,
    /// Seconds that a look goes back, and when they were found out.
    overlap: i64,
    overlap_known: Instant,
    /// When the newest one began that was seen.
    newest: Timestamp,
    /// Looks begin here: what began before was recorded long ago.
    begin: Timestamp,
    /// When those began that were sent, as far as looks go back.
    told: HashMap<ExecutionId, Timestamp>,
    /// What was known before the stream, when it is too much to be kept in mind.
    known: Option<Known>,
    /// The newest that was sent.
    sent: Option<(Timestamp, ExecutionId)>,
    /// Microseconds of a backlog that one look could read, while there is a backlog.
    span: Option<i64>,
    /// The next look has time.
    looked: bool,
    stamp: Option<Stamp>,
}

/// What its client has.
enum Known {
    /// All up to this one, when it began.
    UpTo(Timestamp, ExecutionId),
    /// All that had ended by then.
    EndedBy(Timestamp),
}

impl Known {
    fn has(&self, execution: &Execution) -> bool {
        match self {
            Self::UpTo(at, id) => (execution.timestamp, &execution.id) <= (*at, id),
            Self::EndedBy(at) => {
                let duration = (execution.duration * 1_000.0) as i64;
                execution.timestamp.micros() + duration <= at.micros()
            }
        }
    }
}

/// What one look found.
#[derive(Default)]
struct Look {
    told: HashMap<ExecutionId, Timestamp>,
    /// Not sent yet, newest first.
    fresh: VecDeque<((Timestamp, ExecutionId), String)>,
    /// Bytes of them.
    size: usize,
    newest: Option<(Timestamp, ExecutionId)>,
    /// Newer ones were found than are kept.
    more: bool,
    /// There are older ones than were read.
    is_cut: bool,
}

impl Look {
    /// Keeps the oldest.
    fn keep(&mut self, execution: &Execution) {
        let Ok(text) = serde_json::to_string(execution) else {
            return;
        };
        self.size += text.len();
        let id = (execution.timestamp, execution.id.clone());
        self.fresh.push_back((id, text));
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
        let overlap = overlap_of(&services, &workspace, function.as_ref()).await?;
        let last = last.and_then(|id| ExecutionId::parse(id).ok());
        let since = last.as_ref().and_then(execution_time);
        let newest = since.unwrap_or_else(Timestamp::now);
        let mut followed = Self {
            services,
            workspace,
            function,
            filter,
            overlap,
            overlap_known: Instant::now(),
            newest,
            begin: newest.plus_seconds(-overlap),
            told: HashMap::new(),
            known: None,
            sent: None,
            span: None,
            looked: false,
            stamp: None,
        };
        let resumed = since.zip(last);
        let known = match &resumed {
            Some((at, id)) => Known::UpTo(*at, id.clone()),
            None => Known::EndedBy(newest),
        };
        // Without a place to go on from, all that is recorded by now.
        let was_sent = |execution: &Execution| resumed.is_none() || known.has(execution);
        let look = followed.look(since, was_sent).await?;
        followed.told = look.told;
        followed.known = Some(known).filter(|_| look.is_cut);
        followed.sent = resumed.or(look.newest);
        Ok(followed)
    }

    /// What began since the beginning, and not after `until`: of more than 5,000 the newest.
    async fn look(
        &self,
        until: Option<Timestamp>,
        was_sent: impl Fn(&Execution) -> bool,
    ) -> Result<Look> {
        let to = until.into_iter().chain(self.filter.to);
        let mut filter = ExecutionFilter {
            from: self.filter.from.max(Some(self.begin)),
            to: to.min(),
            limit: Some(ROWS),
            cursor: None,
            ..self.filter.clone()
        };
        let (mut look, mut short) = (Look::default(), 0);
        for _ in 0..PAGES {
            let page = self.page(&filter).await?;
            short += usize::from(page.executions.len() < ROWS as usize);
            for execution in page.executions {
                let at = execution.timestamp;
                if look.newest.is_none() {
                    look.newest = Some((at, execution.id.clone()));
                }
                if was_sent(&execution) {
                    look.told.insert(execution.id, at);
                } else {
                    look.keep(&execution);
                }
            }
            filter.cursor = page.next;
            if filter.cursor.is_none() || short == SHORT_PAGES {
                break;
            }
        }
        look.is_cut = filter.cursor.is_some();
        Ok(look)
    }

    /// As much of a backlog from its beginning as one look reads, and where that ends; all there is without a backlog.
    async fn look_forward(&self, settled: Timestamp) -> Result<(Look, Option<Timestamp>)> {
        let was_sent = |execution: &Execution| {
            let is_known = self
                .known
                .as_ref()
                .is_some_and(|known| known.has(execution));
            is_known || self.told.contains_key(&execution.id)
        };
        let after = |micros: i64| Timestamp::from_micros(self.begin.micros() + micros);
        // Twice as much as last time: calls may have been fewer then.
        let next = self.span.map(|span| after(span.saturating_mul(2)));
        let mut until = next.filter(|until| *until < settled);
        loop {
            let look = self.look(until, was_sent).await?;
            let span = until.unwrap_or(settled).micros() - self.begin.micros();
            // What has just begun was told but for what is new, or comes faster than anybody reads.
            let is_backlog = until.is_some() || span > LAG;
            if !look.is_cut || !is_backlog || span < SHORTEST_SPAN {
                return Ok((look, until));
            }
            until = Some(until.map_or(settled, |_| after(span / 2)));
        }
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
        if self.overlap_known.elapsed() > TIMEOUT_KNOWN {
            let (workspace, function) = (&self.workspace, self.function.as_ref());
            self.overlap = overlap_of(&self.services, workspace, function).await?;
            self.overlap_known = Instant::now();
        }
        let (events, more) = self.fresh().await?;
        // A backlog of which nothing passes is no reason to hurry.
        self.looked = !more || events.is_empty();
        self.stamp = stamp.filter(|_| !more);
        Ok(events)
    }

    /// Those that were not sent yet, oldest first, and whether there are more.
    async fn fresh(&mut self) -> Result<(Vec<Event>, bool)> {
        // The server that records may be late, and so may its clock be.
        let settled = Timestamp::now().plus_seconds(-2 * self.overlap);
        let (mut look, until) = self.look_forward(settled).await?;
        let fresh = look.fresh.iter().map(|((at, id), _)| (id.clone(), *at));
        self.told.extend(look.told.drain().chain(fresh));
        self.span = until.map(|until| until.micros() - self.begin.micros());
        if let Some(until) = until {
            if !look.more {
                self.begin = until;
            }
            look.more = true;
        }
        if !look.more {
            let newest = look.newest.map(|(at, _)| at);
            self.newest = self.newest.max(newest.unwrap_or(self.newest));
            let begin = self.newest.plus_seconds(-self.overlap).max(settled);
            self.begin = self.begin.max(begin);
        }
        let begin = self.begin;
        self.told.retain(|_, at| *at >= begin);
        // One that is late has the id of the newest before it: who comes again with it has had both.
        let events = look.fresh.into_iter().rev().map(|(id, text)| {
            let newest = self.sent.take().into_iter().fold(id, std::cmp::max);
            let event = Event::default().event("execution").data(text);
            event.id(self.sent.insert(newest).1.as_str())
        });
        Ok((events.collect(), look.more))
    }
}

async fn overlap_of(
    services: &Services,
    workspace: &WorkspaceId,
    function: Option<&FunctionId>,
) -> Result<i64> {
    let (executions, actor) = (&services.executions, Actor::anonymous());
    let longest = executions.longest_call(&actor, workspace, function);
    Ok(overlap(longest.await?))
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
