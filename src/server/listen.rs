//! The accept loop: HTTP/1.1 with a time limit on headers, TCP_NODELAY, and a stop that lets calls under way finish.

use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use http::{HeaderValue, header};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tower::ServiceExt as _;

use super::head_timer::HeadTimer;
use super::metrics::connection;
use super::stop::Stop;

/// A client has this long to send a request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection may be silent this long between requests: longer than proxies keep theirs (60 s is usual), so that it is they who close them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// Calls under way have this long to finish when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(25);
/// Connections at the same time; beyond, new ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4_096;

/// One listener's connections.
struct Connections {
    /// As metrics name the listener.
    name: &'static str,
    router: Router,
    protocol: hyper::server::conn::http1::Builder,
    graceful: GracefulShutdown,
    stop: Stop,
}

/// Serves until `stop`, then finishes what is under way. `name` is the listener's in metrics.
pub async fn serve(name: &'static str, listener: TcpListener, router: Router, stop: Stop) {
    let mut protocol = hyper::server::conn::http1::Builder::new();
    protocol
        .header_read_timeout(IDLE_TIMEOUT)
        .max_buf_size(64 * 1024);
    let connections = Connections {
        name,
        router,
        protocol,
        graceful: GracefulShutdown::new(),
        stop,
    };
    let places = Arc::new(tokio::sync::Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = connections.stop.stopped().cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => connections.take(stream, peer, Some(place)),
            Err(error) => {
                // Out of file descriptors, most likely: others will be closed soon.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    connections.take_waiting(listener);
    connections.finish().await;
}

impl Connections {
    fn take(&self, stream: TcpStream, peer: SocketAddr, place: Option<OwnedSemaphorePermit>) {
        // Small answers must not wait for more to send.
        let _ = stream.set_nodelay(true);
        let service = self.router.clone().map_request(
            move |mut request: http::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(ConnectInfo(peer));
                request.map(axum::body::Body::new)
            },
        );
        let leaving = self.stop.leaving().clone();
        let service = service.map_response(move |mut response: axum::response::Response| {
            if leaving.is_cancelled() {
                // The caller's next request finds a server that stays.
                let headers = response.headers_mut();
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        });
        let (timer, stream) = HeadTimer::watch(stream, HEADER_TIMEOUT);
        let mut protocol = self.protocol.clone();
        let served = protocol
            .timer(timer)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let watched = self.graceful.watch(served);
        let open = connection(self.name);
        tokio::spawn(async move {
            // A client that breaks off is its own affair.
            let _ = watched.await;
            drop((place, open));
        });
    }

    /// Whoever connected before the listener closed is answered: the kernel would reset what nobody took.
    fn take_waiting(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else {
            return;
        };
        while let Ok((stream, peer)) = listener.accept() {
            let stream = stream
                .set_nonblocking(true)
                .and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.take(stream, peer, None);
            }
        }
    }

    async fn finish(self) {
        tokio::time::sleep(self.stop.linger()).await;
        if tokio::time::timeout(STOP_TIMEOUT, self.graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("calls were still under way when the server stopped");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[tokio::test]
    async fn whoever_had_connected_before_the_stop_is_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        // In the kernel's queue: nobody has accepted them.
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let mut caller = std::net::TcpStream::connect(address).expect("queued");
                caller
                    .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    .expect("sent");
                caller
            })
            .collect();
        let stop = Stop::new(Duration::from_hours(1));
        stop.begin(std::future::ready(())).await;
        let router = Router::new().fallback(|| async { "here" });
        serve("console", listener, router, stop).await;
        for mut caller in callers {
            let mut answer = String::new();
            caller.read_to_string(&mut answer).expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.contains("connection: close"), "{answer}");
        }
    }
}
