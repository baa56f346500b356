//! Lines that executions captured, read from the store.

use async_trait::async_trait;
use serde::Deserialize as _;
use std::sync::Arc;

use crate::model::error::{Error, Result};
use crate::model::execution::{Level, Trigger};
use crate::model::id::FunctionId;
use crate::model::metrics::LogLine;
use crate::model::time::Timestamp;
use crate::port::keys::{self, EXECUTION_PREFIX};
use crate::port::logs::LogSource;
use crate::port::store::{Query, SortRange, Store};

/// Executions read at most for one answer: many of them write no line.
const MAX_READ: usize = 2_000;

pub struct EmbeddedLogs {
    store: Arc<dyn Store>,
}

impl EmbeddedLogs {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

/// When the execution of this sort key began.
fn begin_of(sort_key: &str) -> Option<Timestamp> {
    let (at, _) = sort_key.strip_prefix(EXECUTION_PREFIX)?.split_once('#')?;
    at.parse().ok()
}

#[async_trait]
impl LogSource for EmbeddedLogs {
    async fn lines(
        &self,
        function: &FunctionId,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<LogLine>> {
        let from = after.map_or_else(
            || EXECUTION_PREFIX.to_owned(),
            |nanos| {
                format!(
                    "{EXECUTION_PREFIX}{}",
                    Timestamp::from_micros(nanos / 1_000).sort_key()
                )
            },
        );
        let mut query = Query {
            pk: keys::function_partition(function),
            range: SortRange::Between(from, format!("{EXECUTION_PREFIX}~")),
            forward: false,
            limit: 200,
            after: None,
        };
        let (mut lines, mut read) = (Vec::new(), 0);
        loop {
            let page = self.store.query(&query).await.map_err(|_| {
                Error::overloaded("The lines could not be read. Try again in a moment.")
            })?;
            for (key, item) in &page.items {
                read += 1;
                // The lines of a draft or a replay are for whoever ran it.
                let trigger = item.get("trigger").map(Trigger::deserialize);
                if matches!(trigger, Some(Ok(trigger)) if trigger.is_aside()) {
                    continue;
                }
                let Some(at) = item
                    .get("timestamp")
                    .and_then(|value| value.as_str())
                    .and_then(|text| text.parse::<Timestamp>().ok())
                else {
                    continue;
                };
                // To the microsecond, where the attribute has milliseconds: calls of the same one have lines of their own.
                let begin = begin_of(&key.sk).unwrap_or(at).micros();
                let texts = item
                    .get("logs")
                    .and_then(|value| value.as_array())
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                let failed = item.get("status").and_then(|value| value.as_str()) == Some("error");
                // Lines of one execution keep their order: each is a nanosecond after the one before.
                let mut in_traceback = false;
                let mut own: Vec<LogLine> = texts
                    .iter()
                    .filter_map(|text| text.as_str())
                    .zip(0_i64..)
                    .map(|(text, index)| {
                        // A traceback of a failed call is an error to its end.
                        in_traceback |= failed && text.starts_with("Traceback");
                        LogLine {
                            nanos: begin * 1_000 + index,
                            at,
                            level: if in_traceback {
                                Level::Error
                            } else {
                                Level::of_text(text)
                            },
                            text: text.to_owned(),
                        }
                    })
                    .filter(|line| after.is_none_or(|after| line.nanos > after))
                    .collect();
                own.reverse();
                lines.append(&mut own);
                if lines.len() >= limit {
                    lines.truncate(limit);
                    return Ok(lines);
                }
            }
            if page.next.is_none() || read >= MAX_READ {
                return Ok(lines);
            }
            query.after = page.next;
        }
    }

    async fn check(&self) -> std::result::Result<(), String> {
        self.store.check().await.map_err(|error| error.to_string())
    }
}
