//! What a component's imports are linked to.

use std::path::Path;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Result};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::guest::Guest;
use super::spin;
use crate::adapter::snapshot::{LoadedBase, add_stand_ins};

/// Interfaces that are offered. Whatever else a component imports gets a stand-in that fails when it is called.
const OFFERED: [&str; 10] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:http/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
    "wasi:config/store@",
    "fermyon:spin/key-value@",
    "fermyon:spin/variables@",
];

/// A component with everything resolved, ready to be instantiated for a call.
pub(super) fn link(engine: &Engine, component: &Component) -> Result<ProxyPre<Guest>> {
    ProxyPre::new(linker(engine, component)?.instantiate_pre(component)?)
}

/// The same of a base: for all of its functions, or for the one whose own memory lies in a file.
pub(super) fn link_base(
    engine: &Engine,
    base: &LoadedBase,
    memory: Option<&Path>,
) -> Result<ProxyPre<Guest>> {
    let mut linker = linker(engine, &base.component)?;
    base.link(engine, &mut linker, memory)?;
    ProxyPre::new(linker.instantiate_pre(&base.component)?)
}

fn linker(engine: &Engine, component: &Component) -> Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    spin::add_to_linker(&mut linker)?;
    add_stand_ins(
        engine,
        &mut linker,
        component,
        &OFFERED,
        |interface, function| {
            format!(
                "{interface} is not offered by this server, which runs functions itself ({function} was called). Use spin_sdk.http, spin_sdk.key_value or spin_sdk.variables."
            )
        },
    )?;
    Ok(linker)
}
