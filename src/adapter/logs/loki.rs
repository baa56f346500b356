//! Live lines from Loki, which collects what pods write.

use async_trait::async_trait;
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::adapter::upstream::{Upstream, UpstreamError};
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::execution::Level;
use crate::model::id::FunctionId;
use crate::model::metrics::LogLine;
use crate::model::time::Timestamp;
use crate::port::logs::LogSource;

pub struct LokiLogs {
    loki: Upstream,
}

/// What `query_range` answers to a query for lines.
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    stream: BTreeMap<String, String>,
    /// Nanoseconds since the epoch and the line; what follows is of no use here.
    values: Vec<Vec<serde_json::Value>>,
}

impl LokiLogs {
    /// `url` as in `http://loki:3100`.
    pub fn new(url: &str) -> std::result::Result<Self, String> {
        Ok(Self {
            loki: Upstream::new("loki", url)?,
        })
    }
}

/// An id holds neither quotes nor backslashes: it was parsed as one.
fn query(function: &FunctionId) -> String {
    format!(r#"{{function_id="{function}"}}"#)
}

#[async_trait]
impl LogSource for LokiLogs {
    async fn lines(
        &self,
        function: &FunctionId,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<LogLine>> {
        let (query, limit_text) = (query(function), limit.to_string());
        let mut parameters = vec![
            ("query", query.as_str()),
            ("limit", &limit_text),
            ("direction", "backward"),
        ];
        // Inclusive there.
        let start = after.map(|nanos| nanos.saturating_add(1).to_string());
        if let Some(start) = &start {
            parameters.push(("start", start));
        }
        let answer: Answer = self
            .loki
            .get("loki/api/v1/query_range", &parameters)
            .await
            .map_err(failure)?;
        let lines = answer.data.result.iter().flat_map(Stream::lines);
        let mut lines: Vec<LogLine> = lines
            .filter(|line| after.is_none_or(|after| line.nanos > after))
            .collect();
        // Each stream is sorted by itself, and has up to the whole limit.
        lines.sort_by_key(|line| std::cmp::Reverse(line.nanos));
        lines.truncate(limit);
        Ok(lines)
    }

    async fn check(&self) -> std::result::Result<(), String> {
        self.loki.check("ready").await
    }
}

impl Stream {
    fn lines(&self) -> impl Iterator<Item = LogLine> {
        let label = |name: &str| self.stream.get(name);
        let named = label("level").or_else(|| label("detected_level"));
        self.values.iter().filter_map(move |value| {
            let nanos: i64 = value.first()?.as_str()?.parse().ok()?;
            let text = value.get(1)?.as_str()?.to_owned();
            Some(LogLine {
                nanos,
                at: Timestamp::from_micros(nanos / 1_000),
                level: Level::of_text(named.unwrap_or(&text)),
                text,
            })
        })
    }
}

fn failure(error: UpstreamError) -> Error {
    match error {
        UpstreamError::Unreachable(cause) => {
            tracing::warn!(%cause, "Loki cannot be reached");
            Error::overloaded("Loki, which keeps these lines, does not answer. Try again in a moment; if it lasts, check LOKI_SERVICE_URL and that Loki runs.")
                .with_operation("LOKI_CONNECTION_ERROR")
        }
        UpstreamError::Refused(cause) => {
            tracing::error!(%cause, "Loki did not answer a query as it should");
            Error::new(ErrorKind::Internal, "Loki did not understand the query, or its answer could not be read. The server's log has the details.")
                .with_operation("LOKI_ERROR")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leaves_its_quotes() {
        for id in ["fn-a", "fn_1.2-X"] {
            let id = FunctionId::parse(id).expect("an id");
            assert_eq!(query(&id), format!("{{function_id=\"{id}\"}}"));
        }
        for hostile in ["\"} |= \"", "a\\", "a\nb", "{}"] {
            assert!(FunctionId::parse(hostile).is_err(), "{hostile}");
        }
    }
}
