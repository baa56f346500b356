//! Loads native components and runs calls of them. Nothing above this file knows that guests run in this process.

use std::path::Path;
use std::sync::{Arc, Weak};
use tokio::runtime::Runtime;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::call::{self, Services};
use super::engine;
use super::guest::Guest;
use super::linker;
use super::outbound::OutboundClient;
use super::settings::Settings;
use crate::adapter::snapshot::{LoadedBase, PreparedBase, Restorer};
use crate::port::key_values::KeyValues;
use crate::port::platform::{Call, CallFailure, Outcome};

/// What instances are made of.
pub(super) struct Code {
    pub pre: ProxyPre<Guest>,
    /// What makes a fresh instance of a base one of the function; a component of its own needs nothing.
    pub restorer: Option<Restorer>,
}

/// A loaded component or function. Cheap to clone; its code is unmapped with the last clone.
#[derive(Clone)]
pub(super) struct Program(Arc<Code>);

/// A program that others may drop.
pub(super) struct WeakProgram(Weak<Code>);

/// A base's code, shared by its functions.
#[derive(Clone)]
pub(super) struct BaseProgram {
    loaded: Arc<LoadedBase>,
    pre: ProxyPre<Guest>,
}

impl Program {
    pub fn downgrade(&self) -> WeakProgram {
        WeakProgram(Arc::downgrade(&self.0))
    }
}

impl WeakProgram {
    pub fn upgrade(&self) -> Option<Program> {
        self.0.upgrade().map(Program)
    }
}

pub(super) struct Runner {
    engine: Engine,
    /// Guests have threads of their own, so that one that computes does not keep the server's from answering. `None` only while it is dropped.
    guests: Option<Runtime>,
    services: Services,
}

impl Runner {
    pub fn new(max_instances: usize, key_values: Arc<dyn KeyValues>) -> Result<Self, String> {
        let engine = engine::new_engine(max_instances).map_err(|error| format!("{error:#}"))?;
        engine::start_ticker(&engine)
            .map_err(|error| format!("no thread for the clock of the guests: {error}"))?;
        let guests = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(guest_threads())
            .thread_name("guest")
            .enable_all()
            // A poll lasts up to a tick when the guest computes: tokio's default of 61 polls would leave timers and sockets waiting for 600 ms.
            .event_interval(3)
            .global_queue_interval(3)
            .build()
            .map_err(|error| format!("no threads for guests: {error}"))?;
        let services = Services {
            key_values,
            client: Arc::new(OutboundClient::default()),
        };
        Ok(Self {
            engine,
            guests: Some(guests),
            services,
        })
    }

    /// Names the files this runner can load.
    pub fn native_key(&self) -> String {
        engine::native_key(&self.engine)
    }

    /// Maps a file of native code; takes milliseconds and reads from the disk.
    #[expect(
        unsafe_code,
        reason = "native code can only be taken on trust: the file is one this server had compiled, in a directory only it can write to, with a checksum compared before"
    )]
    pub fn load(&self, native: &Path) -> Result<Program, String> {
        // SAFETY: the caller passes a file out of `NativeCache::verified`.
        let component = unsafe { Component::deserialize_file(&self.engine, native) }
            .map_err(|error| format!("{error:#}"))?;
        let pre = linker::link(&self.engine, &component).map_err(|error| format!("{error:#}"))?;
        let restorer = None;
        Ok(Program(Arc::new(Code { pre, restorer })))
    }

    /// Maps a base's files.
    pub fn load_base(&self, base: &PreparedBase) -> Result<BaseProgram, String> {
        let load = || {
            let loaded = Arc::new(LoadedBase::load(&self.engine, base)?);
            let pre = linker::link_base(&self.engine, &loaded, None)?;
            Ok(BaseProgram { loaded, pre })
        };
        load().map_err(|error: wasmtime::Error| format!("{error:#}"))
    }

    /// A function that is brought into instances of the base. Nothing is compiled, mapped or read.
    pub fn restored(base: &BaseProgram, restorer: Restorer) -> Program {
        let (pre, restorer) = (base.pre.clone(), Some(restorer));
        Program(Arc::new(Code { pre, restorer }))
    }

    /// A function whose memory lies in a file, out of `Bases::memory`.
    pub fn mapped(&self, base: &BaseProgram, memory: &Path) -> Result<Program, String> {
        let pre = linker::link_base(&self.engine, &base.loaded, Some(memory))
            .map_err(|error| format!("{error:#}"))?;
        let restorer = None;
        Ok(Program(Arc::new(Code { pre, restorer })))
    }

    /// Whether a call of this program could begin; the text is for its developer.
    pub async fn prove(
        &self,
        program: &Program,
        settings: &Arc<Settings>,
        memory: usize,
    ) -> Result<(), String> {
        call::prove(&program.0, settings, self.services.clone(), memory).await
    }

    pub async fn run(&self, program: &Program, settings: &Arc<Settings>, call: Call) -> Outcome {
        let Some(guests) = &self.guests else {
            return failed(CallFailure::Overloaded);
        };
        let (program, settings, services) =
            (program.clone(), settings.clone(), self.services.clone());
        let running = AbortOnDropHandle::new(
            guests.spawn(async move { call::run(&program.0, &settings, services, call).await }),
        );
        running.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a call ended without an outcome");
            failed(CallFailure::Unreachable(
                "The platform failed while the function ran.".to_owned(),
            ))
        })
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // A runtime that is dropped the ordinary way waits for its threads and panics inside another runtime.
        if let Some(guests) = self.guests.take() {
            guests.shutdown_background();
        }
    }
}

/// The outcome of a call that never ran.
pub(super) fn failed(failure: CallFailure) -> Outcome {
    Outcome {
        result: Err(failure),
        lines: Vec::new(),
        lines_truncated: false,
        cpu: None,
        memory: None,
        start: None,
    }
}

/// Half the cores. Guests side by side in one process slow each other down, as every instance changes the page tables all of them share:
/// on two cores a hello took 2.5 ms of CPU with one thread at any concurrency (400 calls/s at 8), and 4.7 ms with two (330 calls/s).
/// Only computing is bounded by it: a guest that waits holds no thread.
fn guest_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}
