//! How adapters ask HTTP services that may be slow, wrong or away: bounded in time and size, and left alone for a while after failures.
//! No adapter itself.

use serde::de::DeserializeOwned;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::Instrument as _;

use super::http_client::{self, Unread};
use crate::port::trace;

/// A page waits no longer for one of its panels.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes of an answer at most.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// Failures in a row after which a service is not asked, so that pages do not wait for it each time.
const FAILURES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Nothing listens, it does not answer in time, or it says that it is out of order.
    #[error("{0}")]
    Unreachable(String),
    /// It refused the request, or answered what makes no sense.
    #[error("{0}")]
    Refused(String),
}

pub struct Upstream {
    /// As metrics name it.
    name: &'static str,
    client: reqwest::Client,
    base: reqwest::Url,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    count: u32,
    /// When it may be asked again.
    retry_at: Option<Instant>,
}

impl Upstream {
    /// `name` is what metrics call it. `base` was checked to be a URL when the settings were read.
    pub fn new(name: &'static str, base: &str) -> Result<Self, String> {
        let client = http_client::builder()
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| error.to_string())?;
        // A base with a path keeps it only when that ends with a slash.
        let base = format!("{}/", base.trim_end_matches('/'));
        let base = reqwest::Url::parse(&base).map_err(|error| format!("{base}: {error}"))?;
        let failures = Mutex::default();
        Ok(Self {
            name,
            client,
            base,
            failures,
        })
    }

    /// `path` is relative.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, UpstreamError> {
        let body = self.ask(path, query).await?;
        serde_json::from_slice(&body)
            .map_err(|error| UpstreamError::Refused(format!("its answer cannot be read: {error}")))
    }

    /// Whether it answers at all.
    pub async fn check(&self, path: &str) -> Result<(), String> {
        let asked = self.ask(path, &[]).await;
        asked.map(drop).map_err(|error| error.to_string())
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, UpstreamError> {
        if !self.may_ask() {
            let text = "it failed several times in a row and is asked again in a few seconds";
            return Err(UpstreamError::Unreachable(text.to_owned()));
        }
        let begin = Instant::now();
        let span = tracing::debug_span!("upstream", upstream = self.name);
        let answer = self.send(path, query).instrument(span).await;
        self.count(!matches!(answer, Err(UpstreamError::Unreachable(_))));
        let result = match &answer {
            Ok(_) => "ok",
            Err(UpstreamError::Unreachable(_)) => "unreachable",
            Err(UpstreamError::Refused(_)) => "refused",
        };
        metrics::histogram!("blue_faas_upstream_request_duration_seconds", "upstream" => self.name, "result" => result)
            .record(begin.elapsed());
        answer
    }

    async fn send(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, UpstreamError> {
        let unreachable = |error| UpstreamError::Unreachable(cause(error));
        let mut url = self
            .base
            .join(path)
            .map_err(|error| UpstreamError::Refused(error.to_string()))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.get(url);
        if let Some(traceparent) = trace::traceparent() {
            request = request.header(trace::TRACEPARENT, traceparent);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let read = http_client::read(response, MAX_ANSWER).await;
        let body = read.map_err(|unread| match unread {
            Unread::TooLong => UpstreamError::Refused("its answer is too long".to_owned()),
            Unread::Broken(error) => unreachable(error),
        })?;
        if status.is_server_error() {
            return Err(UpstreamError::Unreachable(format!("it answered {status}")));
        }
        if !status.is_success() {
            let text: String = String::from_utf8_lossy(&body).chars().take(200).collect();
            return Err(UpstreamError::Refused(format!(
                "it answered {status}: {text}"
            )));
        }
        Ok(body)
    }

    /// After a pause one request finds out whether the service is back; the others wait for what it says.
    fn may_ask(&self) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match failures.retry_at {
            Some(at) if now < at => false,
            Some(_) => {
                failures.retry_at = Some(now + TIMEOUT);
                true
            }
            None => true,
        }
    }

    fn count(&self, answered: bool) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker = metrics::gauge!("blue_faas_upstream_breaker_open", "upstream" => self.name);
        if answered {
            breaker.set(0.0);
            *failures = Failures::default();
            return;
        }
        failures.count += 1;
        if failures.count >= FAILURES {
            breaker.set(1.0);
            failures.retry_at = Some(Instant::now() + PAUSE);
        }
    }
}

fn cause(error: reqwest::Error) -> String {
    if error.is_timeout() {
        format!("it did not answer within {} s", TIMEOUT.as_secs())
    } else {
        http_client::innermost(error)
    }
}
