//! How long a connection may be silent between two requests, and how long the head of one may take.
//!
//! hyper has one time limit for both, counted from the end of the answer before. A proxy keeps connections to send its next request on, and must not
//! find them closed just then; a caller who sends a head byte by byte must not hold one as long.

use hyper::rt::{Sleep, Timer};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::InspectReader;

/// The timer of one connection. What hyper asks it for is the time until the next head is there.
pub struct HeadTimer {
    /// From a head's first byte, or from the connection's beginning.
    head: Duration,
    /// How often something arrived on the connection.
    arrivals: Arc<AtomicU64>,
}

impl HeadTimer {
    /// With the stream that it watches.
    pub fn watch<S: AsyncRead + AsyncWrite + Unpin>(
        stream: S,
        head: Duration,
    ) -> (Self, InspectReader<S, impl FnMut(&[u8]) + use<S>>) {
        let arrivals = Arc::new(AtomicU64::new(0));
        let timer = Self {
            head,
            arrivals: arrivals.clone(),
        };
        let watched = InspectReader::new(stream, move |bytes: &[u8]| {
            if !bytes.is_empty() {
                arrivals.fetch_add(1, Ordering::Relaxed);
            }
        });
        (timer, watched)
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, silent: Instant) -> Pin<Box<dyn Sleep>> {
        let before = self.arrivals.load(Ordering::Relaxed);
        let is_new = before == 0;
        let head = Instant::now() + self.head;
        let end = if is_new { silent.min(head) } else { silent };
        Box::pin(UntilHead {
            head: self.head,
            arrivals: self.arrivals.clone(),
            before: (!is_new).then_some(before),
            sleep: Box::pin(tokio::time::sleep_until(end.into())),
        })
    }
}

/// Ends when there is no head for too long.
struct UntilHead {
    head: Duration,
    arrivals: Arc<AtomicU64>,
    /// Arrivals when the waiting began; `None` once the head has begun.
    before: Option<u64>,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Sleep for UntilHead {}

impl Future for UntilHead {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let now = self.arrivals.load(Ordering::Relaxed);
        if self.before.is_some_and(|before| before != now) {
            self.before = None;
            let end = tokio::time::Instant::now() + self.head;
            self.sleep.as_mut().reset(end);
        }
        self.sleep.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use std::convert::Infallible;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const HEAD: Duration = Duration::from_millis(200);

    /// A connection on which one request was answered.
    async fn connected() -> DuplexStream {
        let (mut caller, stream) = tokio::io::duplex(4096);
        caller.write_all(REQUEST).await.expect("sent");
        let (timer, stream) = HeadTimer::watch(stream, HEAD);
        let answer = service_fn(|_: http::Request<Incoming>| async {
            Ok::<_, Infallible>(http::Response::new(String::from("here")))
        });
        let mut protocol = hyper::server::conn::http1::Builder::new();
        protocol
            .timer(timer)
            .header_read_timeout(Duration::from_hours(1));
        tokio::spawn(protocol.serve_connection(TokioIo::new(stream), answer));
        answered(&mut caller).await;
        caller
    }

    async fn answered(caller: &mut DuplexStream) {
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            let read = caller.read_buf(&mut answer).await.expect("an answer");
            assert_ne!(read, 0, "closed");
        }
    }

    #[tokio::test]
    async fn a_silent_connection_is_kept_for_the_next_request() {
        let mut caller = connected().await;
        tokio::time::sleep(HEAD * 3).await;
        caller.write_all(REQUEST).await.expect("sent");
        answered(&mut caller).await;
    }

    #[tokio::test]
    async fn a_head_that_has_begun_must_end_soon() {
        let mut caller = connected().await;
        caller.write_all(&REQUEST[..8]).await.expect("sent");
        let mut rest = Vec::new();
        let closed = caller.read_to_end(&mut rest);
        let closed = tokio::time::timeout(Duration::from_mins(1), closed).await;
        closed.expect("it is closed").expect("in order");
    }
}
