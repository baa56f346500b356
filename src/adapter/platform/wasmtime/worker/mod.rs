//! A process that runs guests, one thread for all of them. It computes: whatever else a guest may do, the server does for it.
//!
//! It reaches its server by two sockets: orders and reports on stdin ([`super::protocol`]), the guests' HTTP requests on stdout (HTTP/2).

mod answer;
mod call;
mod confine;
mod engine;
mod guest;
mod idle;
mod instance;
mod limits;
mod linker;
mod outbound;
mod output;
mod programs;
mod server;
mod settings;
mod spin;

use bytes::Bytes;
use futures::StreamExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::collections::HashMap;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use self::idle::{Idle, MAX_IDLE};
use self::instance::Context;
use self::programs::Programs;
use self::server::Server;
use super::protocol::{self, CallId, Ended, Head, Order, Report, Request};
use crate::port::platform::{Call, CallFailure, Outcome};

/// Between two looks at instances that wait.
const SWEEP: Duration = Duration::from_secs(5);

/// Runs calls until the server is gone. `max_instances` run at once; files are read below `directories` only.
pub fn serve_calls(max_instances: usize, directories: &[PathBuf]) -> Result<(), String> {
    // What a host function does wrong must not be taken for an answer: the server sees this process end.
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "{panic}");
        std::process::abort();
    }));
    confine::inheritance()?;
    // Huge pages would make a process that needs four megabytes take twelve. Without effect where the kernel has none.
    let _ = nix::sys::prctl::set_thp_disable(true);
    let engine =
        engine::new_engine(max_instances + MAX_IDLE).map_err(|error| format!("{error:#}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // A poll lasts up to a tick when the guest computes: tokio's default of 61 polls would leave timers and sockets waiting for 600 ms.
        .event_interval(3)
        .global_queue_interval(3)
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let sockets =
        runtime.block_on(async { Ok((socket(std::io::stdin())?, socket(std::io::stdout())?)) });
    let (orders, requests) = sockets.map_err(|error: std::io::Error| {
        format!("a server starts this, with sockets for stdin and stdout: {error}")
    })?;
    confine::files(directories)?;
    engine::start_ticker(&engine).map_err(|error| format!("no thread for the clock: {error}"))?;
    confine::system_calls()?;
    runtime.block_on(serve(Programs::new(engine), orders, requests))
}

fn socket(stream: impl AsFd) -> std::io::Result<UnixStream> {
    let socket = std::os::unix::net::UnixStream::from(stream.as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

async fn serve(programs: Programs, orders: UnixStream, requests: UnixStream) -> Result<(), String> {
    let (orders, reports) = orders.into_split();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(protocol::write(reports, receiver));
    let (requests, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(protocol::STREAM_WINDOW)
        .initial_connection_window_size(protocol::CONNECTION_WINDOW)
        .handshake(TokioIo::new(requests))
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let mut worker = Worker {
        programs,
        server: Arc::new(Server::new(sender, requests)),
        calls: Arc::default(),
        idle: Arc::default(),
    };
    worker.server.report(&Report::Ready, Bytes::new());
    let mut frames = protocol::frames(orders);
    let mut sweeps = tokio::time::interval(SWEEP);
    loop {
        let frame = tokio::select! {
            frame = frames.next() => frame,
            _ = sweeps.tick() => {
                lock(&worker.idle).sweep();
                continue;
            }
        };
        let Some(frame) = frame else { break };
        let order = frame.and_then(protocol::read);
        let (order, rest) = order.map_err(|error| error.to_string())?;
        worker.follow(order, rest);
    }
    Ok(())
}

/// Calls; without its sender one ends.
type UnderWay = Arc<Mutex<HashMap<CallId, oneshot::Sender<()>>>>;

struct Worker {
    programs: Programs,
    server: Arc<Server>,
    calls: UnderWay,
    idle: Arc<Mutex<Idle>>,
}

impl Worker {
    fn follow(&mut self, order: Order, rest: Bytes) {
        match order {
            Order::LoadBase { base, folder } => self.programs.load_base(base, &folder),
            Order::Load { program, source } => self.programs.load(program, source, rest),
            Order::Unload { program } => {
                self.programs.unload(program);
                lock(&self.idle).drop_program(program);
            }
            Order::Prove {
                call,
                program,
                environment,
                memory,
            } => {
                let code = self.programs.get(program);
                let context = self.context(call, environment);
                tokio::spawn(async move {
                    let server = context.server.clone();
                    let result = match code {
                        Ok(code) => instance::prove(&code, context, memory).await,
                        Err(reason) => Err(reason),
                    };
                    server.report(&Report::Proved { call, result }, Bytes::new());
                });
            }
            Order::Call {
                call,
                program,
                environment,
                request,
            } => {
                let code = self.programs.get(program);
                let context = self.context(call, environment);
                let idle = self.idle.clone();
                let (reuse, in_pieces) = (request.reuse, request.in_pieces);
                let (under_way, cancelled) = self.take_up(call);
                tokio::spawn(async move {
                    let server = context.server.clone();
                    let (outcome, instance) = match (code, arrived(request, rest)) {
                        (Ok(code), Ok(request)) => {
                            let kept = reuse.and_then(|_| {
                                lock(&idle).take(program, &context.settings, request.memory)
                            });
                            call::run(&code, context, request, kept, in_pieces, cancelled).await
                        }
                        (Err(reason), _) | (_, Err(reason)) => {
                            (Outcome::failed(CallFailure::Unreachable(reason)), None)
                        }
                    };
                    let (outcome, body) = ended(outcome);
                    server.report(&Report::Ended { call, outcome }, body);
                    // The answer leaves before the instance is taken apart.
                    tokio::task::yield_now().await;
                    if let (Some(reuse), Some(instance)) = (reuse, instance) {
                        lock(&idle).put(program, instance, reuse);
                    }
                    lock(&under_way).remove(&call);
                });
            }
            Order::Cancel { call } => {
                lock(&self.calls).remove(&call);
            }
            Order::Value { question, reply } => self.server.replied(question, reply, rest),
        }
    }

    fn context(&self, call: CallId, environment: Vec<(String, String)>) -> Context {
        Context {
            call,
            settings: Arc::new(environment.into()),
            server: self.server.clone(),
        }
    }

    /// The list of calls, which this one takes itself out of, and what ends when it is taken out before.
    fn take_up(&self, call: CallId) -> (UnderWay, oneshot::Receiver<()>) {
        let (sender, cancelled) = oneshot::channel();
        lock(&self.calls).insert(call, sender);
        (self.calls.clone(), cancelled)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn arrived(request: Request, body: Bytes) -> Result<Call, String> {
    let unreadable = || "The request cannot be read.".to_owned();
    Ok(Call {
        method: request.method.parse().map_err(|_| unreadable())?,
        uri: request.uri.parse().map_err(|_| unreadable())?,
        headers: request.headers.into(),
        body,
        timeout: request.timeout,
        memory: request.memory,
        max_body: request.max_body,
    })
}

fn ended(outcome: Outcome) -> (Ended, Bytes) {
    let (result, body) = match outcome.result {
        Ok(answer) => {
            let head = Head::new(answer.status, &answer.headers);
            (Ok(head), answer.body)
        }
        Err(failure) => (Err(failure), Bytes::new()),
    };
    let ended = Ended {
        result,
        lines: outcome.lines,
        lines_truncated: outcome.lines_truncated,
        usage: outcome.usage,
    };
    (ended, body)
}
