//! What a component's imports are linked to.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType};
use wasmtime::{Engine, Result, format_err};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::guest::Guest;
use super::spin;

/// Interfaces that are offered. Whatever else a component imports gets a stand-in that fails when it is called, not before:
/// Spin's world imports databases and more into every component, used or not.
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
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    spin::add_to_linker(&mut linker)?;
    add_stand_ins(engine, &mut linker, component)?;
    ProxyPre::new(linker.instantiate_pre(component)?)
}

/// By hand: `Linker::define_unknown_imports_as_traps` also shadows the WASI versions that are compatible but not equal.
fn add_stand_ins(engine: &Engine, linker: &mut Linker<Guest>, component: &Component) -> Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        if OFFERED.iter().any(|offered| name.starts_with(offered)) {
            continue;
        }
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        let mut instance = linker.instance(name)?;
        for (item, export) in interface.exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(_) => add_stand_in(&mut instance, name, item)?,
                ComponentItem::Resource(_) => {
                    instance.resource(item, ResourceType::host::<()>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn add_stand_in(
    instance: &mut LinkerInstance<'_, Guest>,
    interface: &str,
    function: &str,
) -> Result<()> {
    let text = format!(
        "{interface} is not offered by this server, which runs functions itself ({function} was called). Use spin_sdk.http, spin_sdk.key_value or spin_sdk.variables."
    );
    instance.func_new(function, move |_, _, _, _| Err(format_err!("{text}")))
}
