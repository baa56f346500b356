//! What the host keeps for one instance.

use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::limits::MemoryLimit;
use super::outbound::Outbound;
use super::output::Output;
use super::settings::Settings;
use super::spin::{Spin, SpinView};

/// Handles a guest may hold at once. A handle can own up to 128 KiB of the server's memory (a set of headers).
const MAX_HANDLES: usize = 1_000;

pub(super) struct Guest {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    outbound: Outbound,
    spin: Spin,
    pub memory: MemoryLimit,
}

impl Guest {
    pub fn new(
        settings: &Arc<Settings>,
        output: &Output,
        memory: MemoryLimit,
        outbound: Outbound,
        spin: Spin,
    ) -> Self {
        let mut wasi = WasiCtx::builder();
        // No files, no arguments, no sockets and a closed stdin: WASI's defaults, the sockets aside.
        wasi.stdout(output.stdout())
            .stderr(output.stderr())
            .envs(&settings.environment)
            .allow_tcp(false)
            .allow_udp(false);
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table,
            outbound,
            spin,
            memory,
        }
    }

    /// Whether another call finds room for its handles beside those that were never given back.
    pub fn has_room(&mut self) -> bool {
        self.table.iter_mut().count() < MAX_HANDLES / 2
    }

    pub fn renew(&mut self, outbound: Outbound, spin: Spin) {
        (self.outbound, self.spin) = (outbound, spin);
    }

    pub fn spin(&mut self) -> SpinView<'_> {
        SpinView {
            table: &mut self.table,
            spin: &self.spin,
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outbound,
        }
    }
}
