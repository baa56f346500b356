//! Server-sent events: what happens, as it happens.

mod executions;
mod lines;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::accept::prefers;
use crate::model::error::{Error, ErrorKind, Result};
pub use executions::FollowedExecutions;
pub use lines::FollowedLines;

pub const EVENTS: &str = "text/event-stream";
const POLL: Duration = Duration::from_secs(1);
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

/// Seconds that a call may wait for its places and a worker, be ended in, and be recorded in, beside its timeout.
const AROUND_CALLS: i64 = 25;

/// An execution is recorded when it ends under the time when it began. So each look begins this long before the newest that was seen.
fn overlap(timeout: u32) -> i64 {
    i64::from(timeout) + AROUND_CALLS
}

/// Whether following goes on after a failure: the store may be busy, but what was deleted does not come back.
fn is_over(kind: ErrorKind) -> bool {
    kind == ErrorKind::NotFound
}
