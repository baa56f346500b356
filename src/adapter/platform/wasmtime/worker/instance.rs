//! An instance of a program: its memory, its limits, and in whose name it runs.

use http_body_util::{BodyExt as _, Full};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wasmtime::{Store, Trap, UpdateDeadline};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;

use super::super::protocol::CallId;
use super::answer::Response;
use super::engine::{MAX_MEMORY, TICK};
use super::guest::Guest;
use super::limits::{Counters, MemoryLimit};
use super::outbound::Outbound;
use super::output::Output;
use super::programs::Code;
use super::server::Server;
use super::settings::Settings;
use super::spin::Spin;
use crate::port::platform::Call;

/// Bytes a guest may hand to one host function: a key-value entry or a chunk of a body, with room.
const MAX_TRANSFER: usize = 16 * 1024 * 1024;

/// In whose name a guest runs, and what it runs with.
#[derive(Clone)]
pub(super) struct Context {
    pub call: CallId,
    pub settings: Arc<Settings>,
    pub server: Arc<Server>,
}

/// An instance about to run, or kept for the next call.
pub(super) struct Instance {
    store: Store<Guest>,
    /// Once it was instantiated.
    proxy: Option<Proxy>,
    pub output: Output,
    pub counters: Arc<Counters>,
    deadline: Deadline,
    settings: Arc<Settings>,
    /// Bytes it may use.
    memory: usize,
    pub calls: u32,
    pub born: Instant,
}

/// When the call under way has to end.
#[derive(Clone)]
struct Deadline(Arc<Mutex<Instant>>);

impl Deadline {
    fn get(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, deadline: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }
}

impl Instance {
    pub fn new(code: &Code, context: &Context, memory: usize, timeout: Duration) -> Self {
        let born = Instant::now();
        let deadline = Deadline(Arc::new(Mutex::new(born + timeout)));
        let (output, counters) = (Output::default(), Arc::new(Counters::default()));
        let limit = MemoryLimit::new(memory.min(MAX_MEMORY), counters.clone());
        let (outbound, spin) = context.rights(&output, born + timeout);
        let mut store = Store::new(
            code.pre.engine(),
            Guest::new(&context.settings, &output, limit, outbound, spin),
        );
        store.limiter(|guest| &mut guest.memory);
        store.set_hostcall_fuel(MAX_TRANSFER);
        store.set_epoch_deadline(1);
        let ends = deadline.clone();
        store.epoch_deadline_callback(move |_| {
            // The timer ends a guest that yields; this ends one that runs where it cannot.
            if Instant::now() >= ends.get() + TICK * 2 {
                Err(Trap::Interrupt.into())
            } else {
                Ok(UpdateDeadline::Yield(1))
            }
        });
        Self {
            store,
            proxy: None,
            output,
            counters,
            deadline,
            settings: context.settings.clone(),
            memory,
            calls: 0,
            born,
        }
    }

    /// Whether a call with these settings may have it.
    pub fn suits(&self, settings: &Settings, memory: usize) -> bool {
        self.memory == memory && self.settings.environment == settings.environment
    }

    /// Bytes that it holds.
    pub fn held(&self) -> u64 {
        self.counters.memory()
    }

    /// When its call has to end.
    pub fn deadline(&self) -> Instant {
        self.deadline.get()
    }

    /// Whether it can serve another call.
    pub fn is_reusable(&mut self) -> bool {
        self.store.data_mut().has_room()
    }

    async fn instantiate(&mut self, code: &Code) -> wasmtime::Result<Proxy> {
        let store = &mut self.store;
        let Some(restorer) = &code.restorer else {
            return code.pre.instantiate_async(store).await;
        };
        let pre = code.pre.instance_pre();
        let instance = pre.instantiate_async(&mut *store).await?;
        restorer.restore(store, &instance).await?;
        Proxy::new(store, &instance)
    }

    /// Has the guest handle a call that was taken up at `begun`; the answer goes to `sender`.
    pub async fn handle(
        &mut self,
        code: &Code,
        call: Call,
        sender: oneshot::Sender<Response>,
        begun: Instant,
    ) -> wasmtime::Result<()> {
        self.calls += 1;
        let scheme = if call.uri.scheme() == Some(&http::uri::Scheme::HTTPS) {
            Scheme::Https
        } else {
            Scheme::Http
        };
        let body = Full::new(call.body).map_err(|never: Infallible| match never {});
        let mut request =
            http::Request::new(body.map_err(|never: wasmtime_wasi_http::Error| never));
        *request.method_mut() = call.method;
        *request.uri_mut() = call.uri;
        *request.headers_mut() = call.headers;
        let mut http = self.store.data_mut().http();
        let request = http.new_incoming_request(scheme, request)?;
        let response = http.new_response_outparam(sender)?;
        let proxy = match self.proxy.take() {
            Some(proxy) => proxy,
            None => self.instantiate(code).await?,
        };
        self.counters.set_start(begun.elapsed());
        self.proxy
            .insert(proxy)
            .wasi_http_incoming_handler()
            .call_handle(&mut self.store, request, response)
            .await
    }

    /// Gives the instance to another call: what it reaches and prints from now on is that call's.
    pub fn renew(&mut self, context: &Context, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        self.deadline.set(deadline);
        self.counters.renew();
        let (outbound, spin) = context.rights(&self.output, deadline);
        self.store.data_mut().renew(outbound, spin);
        self.store.set_epoch_deadline(1);
    }
}

impl Context {
    fn rights(&self, output: &Output, deadline: Instant) -> (Outbound, Spin) {
        let outbound = Outbound::new(self.server.clone(), self.call, output.clone(), deadline);
        let spin = Spin {
            settings: self.settings.clone(),
            server: self.server.clone(),
            call: self.call,
        };
        (outbound, spin)
    }
}

/// Instantiates without calling anything: proof that a call can begin.
pub(super) async fn prove(code: &Code, context: Context, memory: usize) -> Result<(), String> {
    const TIMEOUT: Duration = Duration::from_secs(10);
    let mut instance = Instance::new(code, &context, memory, TIMEOUT);
    let counters = instance.counters.clone();
    match tokio::time::timeout(TIMEOUT, instance.instantiate(code)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) if counters.is_memory_denied() => Err(format!(
            "It needs more than {} MB to start. Raise the function's memory.",
            memory / 1024 / 1024
        )),
        Ok(Err(error)) => Err(error.root_cause().to_string()),
        Err(_) => Err(format!("It did not start within {} s.", TIMEOUT.as_secs())),
    }
}
