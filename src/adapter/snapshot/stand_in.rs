//! Stand-ins for what a component imports and nobody offers: they fail when they are called, not before.
//! Spin's world imports databases and more into every component, used or not.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceType};
use wasmtime::{Engine, Result, format_err};

/// By hand: `Linker::define_unknown_imports_as_traps` also shadows the WASI versions that are compatible but not equal.
///
/// `text` says what is missing, of an interface and a function of it.
pub fn add_stand_ins<T: 'static>(
    engine: &Engine,
    linker: &mut Linker<T>,
    component: &Component,
    offered: &[&str],
    text: impl Fn(&str, &str) -> String,
) -> Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        if offered.iter().any(|offered| name.starts_with(offered)) {
            continue;
        }
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        let mut instance = linker.instance(name)?;
        for (item, export) in interface.exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(_) => {
                    let text = text(name, item);
                    instance.func_new(item, move |_, _, _, _| Err(format_err!("{text}")))?;
                }
                ComponentItem::Resource(_) => {
                    instance.resource(item, ResourceType::host::<()>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}
