//! What every component written here begins and ends with.

use wasm_encoder as we;

use super::memory_code::{GROW, RESTORE, ROOM, SNAPSHOT};

/// Core modules by the index they have in every component written here.
const MEMORY: u32 = 0;
pub(super) const CODE: u32 = 1;
const SHIM: u32 = 2;
pub(super) const FIXUP: u32 = 3;
/// Core instances that the component begins with.
pub(super) const MEMORY_INSTANCE: u32 = 0;
pub(super) const SHIM_INSTANCE: u32 = 1;
pub(super) const FIRST_INSTANCE: u32 = 2;

/// Where the exports of [`super::plan::Step::Memory`] begin in the component's index spaces.
pub(super) struct MemoryExports {
    pub instance: u32,
    pub core_function: u32,
    pub kind: u32,
    pub function: u32,
}

/// The instances that every component begins with, and its memory.
pub(super) fn write_first_instances(component: &mut we::Component) {
    let nothing = std::iter::empty::<(&str, we::ModuleArg)>;
    let mut instances = we::InstanceSection::new();
    instances
        .instantiate(MEMORY, nothing())
        .instantiate(SHIM, nothing());
    let mut aliases = we::ComponentAliasSection::new();
    aliases.alias(we::Alias::CoreInstanceExport {
        instance: MEMORY_INSTANCE,
        kind: we::ExportKind::Memory,
        name: "memory",
    });
    component.section(&instances).section(&aliases);
}

impl MemoryExports {
    /// `snapshot: func() -> list<u8>`, `grow: func(pages: u32)` and `restore: func(runs: list<u8>)`, as [`super::memory_code`] has them.
    pub fn write(&self, component: &mut we::Component) {
        let mut aliases = we::ComponentAliasSection::new();
        for name in [SNAPSHOT, GROW, RESTORE, ROOM] {
            aliases.alias(we::Alias::CoreInstanceExport {
                instance: self.instance,
                kind: we::ExportKind::Func,
                name,
            });
        }
        let list = we::ComponentValType::Type(self.kind);
        let number = we::ComponentValType::Primitive(we::PrimitiveValType::U32);
        let none = std::iter::empty::<(&str, we::ComponentValType)>;
        let mut types = we::ComponentTypeSection::new();
        types.defined_type().list(we::PrimitiveValType::U8);
        types.function().params(none()).result(Some(list));
        types.function().params([("pages", number)]).result(None);
        types.function().params([("runs", list)]).result(None);
        let memory = we::CanonicalOption::Memory(0);
        let room = we::CanonicalOption::Realloc(self.core_function + 3);
        let mut functions = we::CanonicalFunctionSection::new();
        functions
            .lift(self.core_function, self.kind + 1, [memory])
            .lift(self.core_function + 1, self.kind + 2, [])
            .lift(self.core_function + 2, self.kind + 3, [memory, room]);
        let mut exports = we::ComponentExportSection::new();
        for (name, index) in [SNAPSHOT, GROW, RESTORE].into_iter().zip(self.function..) {
            // An export is a new index of its own, after those lifted.
            exports.export(name, we::ComponentExportKind::Func, index, None);
        }
        component
            .section(&aliases)
            .section(&types)
            .section(&functions)
            .section(&exports);
    }
}
