//! A worker's process: started, watched, replaced.

use bytes::BytesMut;
use futures::StreamExt as _;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::mpsc;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};
use tokio_util::task::AbortOnDropHandle;

use super::calls::{Calls, HUNG};
use super::connection::Worker;
use super::fetch;
use super::reports::Reports;
use super::{PoolConfig, Services, Slots};
use crate::adapter::platform::wasmtime::protocol;

/// Until a worker takes calls; 30 ms are usual.
const START: Duration = Duration::from_secs(20);
/// Between two looks at what a worker uses.
const WATCH: Duration = Duration::from_secs(5);
/// Resident bytes of a worker without a call at which it is replaced.
const MAX_IDLE_MEMORY: u64 = 1024 * 1024 * 1024;
/// Between two tries to start a worker that cannot be started; the first is shorter.
const PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Keeps one place filled.
pub(super) async fn keep_running(
    slots: Arc<Slots>,
    place: usize,
    config: PoolConfig,
    services: Services,
) {
    let mut pause = PAUSE;
    loop {
        match Process::start(&config, &services).await {
            Ok((worker, mut process)) => {
                slots.set(place, Some(Arc::new(worker)));
                match process.watch(true).await {
                    // The next one starts beside it, and it ends with its last call.
                    End::Due => {
                        restarted("due");
                        tokio::spawn(async move { process.watch(false).await });
                    }
                    End::Ended(reason) => {
                        slots.set(place, None);
                        restarted("ended");
                        tracing::warn!(reason, "a worker process ended and is started again");
                        if process.calls.count() == 0 {
                            pause = rest(pause).await;
                            continue;
                        }
                    }
                }
                // At once, however often: whoever makes workers crash must not keep the others' calls waiting.
                pause = PAUSE;
            }
            Err(error) => {
                restarted("failed");
                tracing::error!(%error, "a worker process cannot be started");
                pause = rest(pause).await;
            }
        }
    }
}

fn restarted(reason: &'static str) {
    metrics::counter!("blue_faas_worker_restarts_total", "reason" => reason).increment(1);
}

/// After a worker that did nothing; answers how long to rest the next time.
async fn rest(pause: Duration) -> Duration {
    tokio::time::sleep(pause).await;
    (pause * 2).min(MAX_PAUSE)
}

enum End {
    /// It ran long enough.
    Due,
    Ended(String),
}

struct Process {
    child: Child,
    calls: Arc<Calls>,
    max_calls: u64,
    reports: Reports,
    frames: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    _beside: [AbortOnDropHandle<()>; 3],
}

impl Process {
    /// Answers when the worker takes calls.
    async fn start(config: &PoolConfig, services: &Services) -> Result<(Worker, Self), String> {
        let starting = Self::spawn(config, services);
        let started = tokio::time::timeout(START, starting).await;
        started
            .map_err(|_| format!("it did not answer within {} s", START.as_secs()))?
            .map_err(|error| format!("{}: {error}", config.program.display()))
    }

    async fn spawn(config: &PoolConfig, services: &Services) -> io::Result<(Worker, Self)> {
        let (orders, theirs) = UnixStream::pair()?;
        let (requests, their_requests) = UnixStream::pair()?;
        let mut child = Command::new(&config.program)
            .arg("worker")
            .arg(config.max_instances.to_string())
            .args(&config.directories)
            .env_clear()
            .current_dir("/")
            .stdin(inherited(theirs)?)
            .stdout(inherited(their_requests)?)
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        if let Some(id) = child.id() {
            // When memory runs out, a worker goes before the server. Where this cannot be set, the kernel decides by size.
            let _ = std::fs::write(format!("/proc/{id}/oom_score_adj"), "500");
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let calls = Arc::new(Calls::default());
        let reports = Reports {
            calls: calls.clone(),
            orders: sender.downgrade(),
            key_values: services.key_values.clone(),
        };
        let (reading, writing) = orders.into_split();
        let write = async move {
            let _ = protocol::write(writing, receiver).await;
        };
        let fetch = fetch::serve(requests, calls.clone(), services.client.clone());
        let log = log(child.stderr.take());
        let mut process = Self {
            child,
            calls: calls.clone(),
            max_calls: config.max_calls,
            reports,
            frames: protocol::frames(reading),
            _beside: [
                AbortOnDropHandle::new(tokio::spawn(write)),
                AbortOnDropHandle::new(tokio::spawn(fetch)),
                AbortOnDropHandle::new(tokio::spawn(log)),
            ],
        };
        // The first report says that it is ready.
        let ready = process.frames.next().await;
        process.report(ready).await.map_err(io::Error::other)?;
        Ok((Worker::new(sender, calls), process))
    }

    /// Until it ends, or until it is due to be replaced.
    async fn watch(&mut self, may_be_due: bool) -> End {
        let mut looks = tokio::time::interval(WATCH);
        loop {
            let reason = tokio::select! {
                frame = self.frames.next() => match self.report(frame).await {
                    Ok(()) if may_be_due && self.has_done_enough() => return End::Due,
                    Ok(()) => continue,
                    Err(reason) => reason,
                },
                () = self.calls.hangs.notified() => HUNG.to_owned(),
                _ = looks.tick(), if may_be_due => {
                    if self.is_due() {
                        return End::Due;
                    }
                    continue;
                }
            };
            let _ = self.child.start_kill();
            self.calls.close(&reason);
            let _ = self.child.wait().await;
            return End::Ended(reason);
        }
    }

    /// Takes what was read from the worker; the error is how it ended or why it has to.
    async fn report(&mut self, frame: Option<io::Result<BytesMut>>) -> Result<(), String> {
        let taken = match frame {
            Some(Ok(frame)) => self.reports.take(frame),
            Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(error),
            // Also a reset, from orders that it had not read, and half a frame: signs of an end.
            Some(Err(_)) | None => return Err(self.end().await),
        };
        taken.map_err(|error| format!("its worker process sent what makes no sense: {error}"))
    }

    fn has_done_enough(&self) -> bool {
        self.calls.count() >= self.max_calls
    }

    fn is_due(&self) -> bool {
        self.has_done_enough()
            || (self.calls.load() == Some(0)
                && self
                    .child
                    .id()
                    .and_then(resident)
                    .is_some_and(|bytes| bytes > MAX_IDLE_MEMORY))
    }

    /// How it ended, for whoever called a function in it.
    async fn end(&mut self) -> String {
        const PATIENCE: Duration = Duration::from_secs(5);
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => format!("its worker process ended ({status})"),
            Ok(Err(error)) => format!("its worker process ended ({error})"),
            Err(_) => "its worker process closed its socket and was ended".to_owned(),
        }
    }
}

/// The other end of a socket, as a child takes it.
fn inherited(stream: UnixStream) -> io::Result<OwnedFd> {
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    Ok(stream.into())
}

/// Resident bytes of a process that are its own.
fn resident(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// What it writes on stderr is of its host, not of guests.
async fn log(stderr: Option<ChildStderr>) {
    let Some(stderr) = stderr else { return };
    let mut lines = BufReader::new(stderr).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line);
        let line: String = line.chars().take(1_000).collect();
        tracing::warn!(line, "a worker process says");
    }
}
