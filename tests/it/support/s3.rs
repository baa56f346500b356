//! An S3 server over a directory (s3s-fs), in this process but over HTTP, which can be told to fail.

use aws_config::SdkConfig;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use blue_faas::adapter::aws;
use blue_faas::adapter::blobs::s3::S3Blobs;
use blue_faas::port::blobs::Blobs as _;
use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::app::Settings;

pub const BUCKET: &str = "functions";
const ACCESS_KEY: &str = "test-access-key";
const SECRET_KEY: &str = "test-secret-key";

type Answer = http::Response<s3s::Body>;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// This status and code instead of what was asked for.
    Answer(u16, &'static str),
    /// The answer's body ends after so many bytes, with the connection.
    BreakOff(usize),
    /// What was asked for is done, and the connection closed without an answer.
    LoseAnswer,
}

/// A fault, and the requests it is for: by their method and a part of their address.
struct Expected {
    method: &'static str,
    part: &'static str,
    fault: Fault,
}

#[derive(Default)]
struct Traffic {
    faults: Vec<Expected>,
    seen: Vec<String>,
}

/// Its directory is removed with it.
pub struct S3Server {
    endpoint: String,
    root: TempDir,
    traffic: Arc<Mutex<Traffic>>,
}

impl S3Server {
    /// With one bucket, [`BUCKET`].
    pub fn start() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join(BUCKET)).expect("a bucket");
        let mut service =
            S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).expect("a file system"));
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let traffic = Arc::new(Mutex::new(Traffic::default()));
        let (tell, told) = mpsc::channel();
        let shared = Arc::clone(&traffic);
        // A runtime of its own: tests block theirs while they wait for a server of ours to start.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                tell.send(listener.local_addr().expect("an address"))
                    .expect("a test that waits");
                serve(listener, service, shared).await;
            });
        });
        Self {
            endpoint: format!("http://{}", told.recv().expect("it listens")),
            root,
            traffic,
        }
    }

    /// The adapter over it.
    pub async fn blobs(&self) -> S3Blobs {
        S3Blobs::new(&sdk().await, BUCKET, Some(&self.endpoint))
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What makes a server of ours keep its objects here.
    pub fn settings(&self) -> Settings {
        // A few bytes a test, which are gone with its process.
        let endpoint = self.endpoint.clone().leak();
        vec![
            ("BLUE_FAAS_BLOBS", "s3"),
            ("S3_BUCKET_NAME", BUCKET),
            ("AWS_ENDPOINT_URL_S3", endpoint),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ]
        .leak()
    }

    /// The next request that fits fails; said again, the one after it.
    pub fn fail(&self, method: &'static str, part: &'static str, fault: Fault) {
        let expected = Expected {
            method,
            part,
            fault,
        };
        self.traffic.lock().expect("a lock").faults.push(expected);
    }

    /// Requests so far whose method and address contain these.
    pub fn seen(&self, method: &str, part: &str) -> usize {
        let traffic = self.traffic.lock().expect("a lock");
        let fitting = |line: &&String| line.starts_with(method) && line.contains(part);
        traffic.seen.iter().filter(fitting).count()
    }

    /// Keys of the objects below a prefix.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        let objects = self.blobs().await.list(prefix).await.expect("a list");
        objects.into_iter().map(|object| object.key).collect()
    }

    /// The file that an object is.
    pub fn file(&self, key: &str) -> PathBuf {
        self.root.path().join(BUCKET).join(key)
    }
}

/// How tests reach any S3: with credentials that no one else takes.
pub async fn sdk() -> SdkConfig {
    let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "tests");
    let sdk = aws::load("ap-northeast-2").await;
    sdk.into_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

async fn serve(listener: TcpListener, service: S3Service, traffic: Arc<Mutex<Traffic>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        let _ = stream.set_nodelay(true);
        let (service, traffic) = (service.clone(), Arc::clone(&traffic));
        tokio::spawn(async move {
            let answer = service_fn(|request: http::Request<Incoming>| {
                let fault = take_fault(&traffic, &request);
                answer(service.clone(), request, fault)
            });
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

fn take_fault(traffic: &Mutex<Traffic>, request: &http::Request<Incoming>) -> Option<Fault> {
    let line = format!("{} {}", request.method(), request.uri());
    let mut traffic = traffic.lock().expect("a lock");
    let found = traffic
        .faults
        .iter()
        .position(|expected| expected.method == request.method() && line.contains(expected.part));
    traffic.seen.push(line);
    found.map(|index| traffic.faults.remove(index).fault)
}

async fn answer(
    service: S3Service,
    request: http::Request<Incoming>,
    fault: Option<Fault>,
) -> io::Result<Answer> {
    if let Some(Fault::Answer(status, code)) = fault {
        // Read whole, or the client is interrupted while it sends.
        let _ = request.into_body().collect().await;
        let body = format!("<Error><Code>{code}</Code><Message>as told</Message></Error>");
        let answer = http::Response::builder()
            .status(status)
            .header("content-type", "application/xml")
            .body(s3s::Body::from(body));
        return answer.map_err(io::Error::other);
    }
    let answered = service.call(request.map(s3s::Body::from)).await;
    let answered = answered.map_err(|error| io::Error::other(format!("{error:?}")))?;
    match fault {
        Some(Fault::BreakOff(after)) => break_off(answered, after).await,
        Some(Fault::LoseAnswer) => Err(io::Error::other("the answer is lost")),
        _ => Ok(answered),
    }
}

/// Headers that promise all of it, then its beginning.
async fn break_off(answer: Answer, after: usize) -> io::Result<Answer> {
    let (head, body) = answer.into_parts();
    let whole = BodyExt::collect(body)
        .await
        .map_err(io::Error::other)?
        .to_bytes();
    let beginning = whole.slice(..after.min(whole.len()));
    let frames =
        futures::stream::once(async { Ok::<Frame<Bytes>, io::Error>(Frame::data(beginning)) })
            .chain(futures::stream::once(async {
                // The beginning is sent by then.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(io::Error::other("the connection is reset"))
            }));
    Ok(http::Response::from_parts(
        head,
        s3s::Body::http_body_unsync(StreamBody::new(frames)),
    ))
}
