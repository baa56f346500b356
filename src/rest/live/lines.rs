//! A function's output as it is written.

use axum::response::sse::Event;
use std::collections::HashMap;

use super::super::extract::Ids;
use super::super::observe::Line;
use super::{Follow, POLL, is_over, overlap};
use crate::model::error::Result;
use crate::model::metrics::LogLine;
use crate::model::time::Timestamp;
use crate::service::Services;
use crate::service::actor::Actor;

/// Lines of one look, the newest.
const LINES: usize = 1_000;

/// A function's output, oldest line first.
pub struct FollowedLines {
    services: Services,
    ids: Ids,
    overlap: i64,
    /// Nanoseconds since the epoch: of the newest line that was seen.
    newest: i64,
    /// Of the newest that was sent.
    sent: i64,
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
        let newest = last.unwrap_or_else(|| Timestamp::now().micros().saturating_mul(1_000));
        let mut followed = Self {
            services,
            ids,
            overlap: overlap(function.timeout.seconds()),
            newest,
            sent: newest,
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

    /// A late line has the id of the newest before it: who comes again with it has had both.
    fn events(&mut self, lines: Vec<LogLine>) -> Vec<Event> {
        let event = |line: LogLine| {
            self.sent = self.sent.max(line.nanos);
            let event = Event::default().event("line").id(self.sent.to_string());
            event.json_data(Line::from(line)).ok()
        };
        lines.into_iter().filter_map(event).collect()
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
                    return Some(self.events(fresh));
                }
                Err(error) if is_over(error.kind) => return None,
                Ok(_) | Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }
}
