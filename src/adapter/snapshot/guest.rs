//! One instance of a base, run to be captured: no network, no environment, of files at most the source's own, to read.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use std::convert::Infallible;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wasmtime::component::{Component, Instance, InstancePre, Linker, ResourceTable, WasmList};
use wasmtime::{Engine, ResourceLimiter, Store, Trap, UpdateDeadline, format_err};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{
    RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::base::{MAX_PAGES, PAGE, SNAPSHOT};
use super::engine::TICK;
use super::stand_in::add_stand_ins;

type Result<T, E = wasmtime::Error> = std::result::Result<T, E>;
type HttpError = wasmtime_wasi_http::Error;
type Response = http::Response<WasiBody>;
type Connection = Box<dyn Future<Output = Result<(), HttpError>> + Send>;

/// Bytes of standard output and error together.
pub(super) const MAX_OUTPUT: usize = 1024 * 1024;
/// Bytes of an answer: a traceback, or the addresses of the base's objects.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
const MAX_HANDLES: usize = 1_000;
const MAX_TABLE: usize = 100_000;
/// Interfaces that are offered while a module loads.
const OFFERED: [&str; 7] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:http/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

struct NoNetwork;

impl WasiHttpHooks for NoNetwork {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _sent: Connection,
    ) -> Box<dyn Future<Output = Result<(Response, Connection), HttpError>> + Send> {
        Box::new(async { Err(HttpError::HttpRequestDenied) })
    }
}

struct Memory {
    used: usize,
    is_denied: bool,
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        // One page more is for the snapshot's own answer.
        if used > MAX_PAGES * PAGE {
            self.is_denied = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= MAX_TABLE)
    }
}

pub(super) struct Host {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    network: NoNetwork,
    memory: Memory,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.network,
        }
    }
}

/// What a base is linked to while it is captured. Its core modules are to be added.
pub(super) fn linker(engine: &Engine, component: &Component) -> Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    add_stand_ins(
        engine,
        &mut linker,
        component,
        &OFFERED,
        |interface, function| {
            format!(
                "{interface} cannot be used while the module is loaded ({function} was called). Use it inside handle_request."
            )
        },
    )?;
    Ok(linker)
}

pub(super) struct Guest {
    store: Store<Host>,
    instance: Instance,
    proxy: Proxy,
    output: MemoryOutputPipe,
}

impl Guest {
    /// `folder` is what the guest sees as `/0`.
    pub async fn start(
        pre: &InstancePre<Host>,
        folders: &[(&Path, &str)],
        deadline: Instant,
    ) -> Result<Self> {
        let output = MemoryOutputPipe::new(MAX_OUTPUT);
        let mut wasi = WasiCtx::builder();
        wasi.stdout(output.clone())
            .stderr(output.clone())
            .allow_tcp(false)
            .allow_udp(false);
        for (path, name) in folders {
            wasi.preopened_dir(path, name, FsPerms::ReadOnly)?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let host = Host {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table,
            network: NoNetwork,
            memory: Memory {
                used: 0,
                is_denied: false,
            },
        };
        let mut store = Store::new(pre.engine(), host);
        store.limiter(|host| &mut host.memory);
        store.set_hostcall_fuel((MAX_PAGES + 1) * PAGE);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if Instant::now() >= deadline + TICK {
                Err(Trap::Interrupt.into())
            } else {
                Ok(UpdateDeadline::Yield(1))
            }
        });
        let instance = pre.instantiate_async(&mut store).await?;
        let proxy = Proxy::new(&mut store, &instance)?;
        Ok(Self {
            store,
            instance,
            proxy,
            output,
        })
    }

    /// Status and body of the answer to a request with this body.
    pub async fn post(&mut self, path: &str, body: Bytes) -> Result<(u16, Bytes)> {
        let (sender, receiver) = oneshot::channel();
        let body = Full::new(body).map_err(|never: Infallible| match never {});
        let request = http::Request::post(format!("http://localhost{path}"))
            .header("host", "localhost")
            .header("accept", "*/*")
            .body(body.map_err(|never: HttpError| never))
            .map_err(|error| format_err!("{error}"))?;
        let http = self.store.data_mut();
        let request = http.http().new_incoming_request(Scheme::Http, request)?;
        let response = http.http().new_response_outparam(sender)?;
        let handler = self.proxy.wasi_http_incoming_handler();
        let call = handler.call_handle(&mut self.store, request, response);
        let answer = async {
            let response = receiver.await.ok()?.ok()?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), MAX_ANSWER)
                .collect()
                .await;
            Some((status, body.ok()?.to_bytes()))
        };
        // A guest that breaks off leaves the sender in the store: nothing would come, and nobody would say so.
        let ((), answer) = tokio::try_join!(call, async { Ok(answer.await) })?;
        answer.ok_or_else(|| format_err!("the guest did not answer"))
    }

    /// Hands `read` memory and globals, as the base's snapshot export answers them, where they lie. The instance is of no use any more.
    pub async fn snapshot<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let take = self
            .instance
            .get_typed_func::<(), (WasmList<u8>,)>(&mut self.store, SNAPSHOT)?;
        let (list,) = take.call_async(&mut self.store, ()).await?;
        Ok(read(list.as_le_slice(&self.store)))
    }

    /// What it printed so far.
    pub fn output(&self) -> Bytes {
        self.output.contents()
    }

    pub fn is_memory_denied(&self) -> bool {
        self.store.data().memory.is_denied
    }
}

/// How long a base may take to serve a few requests of its own.
pub(super) const WARM_UP: Duration = Duration::from_mins(1);
