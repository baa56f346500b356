//! The base as a whole: the stock component every function starts from, taken apart and put together for each of its uses.
//!
//! Nothing here depends on the rest of the product, so `tests/fuzz` compiles it alone.

mod component;
mod frame;
mod image;
mod join;
mod kind;
mod link;
mod memory;
mod memory_code;
mod module;
mod plan;
mod refusal;
mod rewrite;
mod section;
#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};
use wasm_encoder as we;

pub use self::image::{BaseKey, Image};
pub use self::memory::{MAX_PAGES, PAGE, memory_module};
pub use self::memory_code::{GROW, RESTORE, SNAPSHOT};
pub use self::refusal::Refused;

use self::component::Component;
use self::frame::write_first_instances;
use self::join::Joining;
use self::kind::{module_type, strip};
use self::link::Links;
use self::plan::{Planner, Step};
use self::refusal::{Result, at};
use self::section::{COMPONENT, sections};

/// Bytes of a base at most.
pub const MAX_BASE: u64 = 256 * 1024 * 1024;
/// The custom section that holds what the warmed memory has over the initial one.
const WARMED: &str = "blue-faas:warmed";
/// Names of the core modules that a serving component imports, in the order of their indices.
pub const MODULES: [&str; 4] = ["memory", "code", "shim", "fixup"];

pub struct Base {
    pub key: BaseKey,
    pub code: Vec<u8>,
    pub shim: Vec<u8>,
    pub fixup: Vec<u8>,
    /// What mutable globals are before anything runs; a snapshot in which one differs cannot be used.
    pub globals: Vec<i32>,
    /// What every function's memory is compared with.
    pub memory: Vec<u8>,
    pub max_pages: Option<u64>,
    /// Whether the memory is that of a base that has served.
    pub is_warmed: bool,
    steps: Vec<Step>,
}

impl Base {
    /// Reads and joins a base. Takes half a second.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let component = Component::read(bytes)?;
        let links = Links::new(&component)?;
        let mut joining = Joining::new(&links)?;
        let steps = Planner::plan(&links, &mut joining)?;
        let code = joining.write()?;
        let main = at(&component.modules, 0, "module")?;
        let module = |index| at(&component.modules, index, "module");
        let mut memory = memory::initial(main)?;
        let warmed = component
            .sections
            .iter()
            .find_map(|section| section.custom(WARMED));
        if let Some(warmed) = warmed {
            memory = Image::decode(warmed)?.apply(&memory)?;
        }
        Ok(Self {
            key: Sha256::digest(bytes).into(),
            code: code.bytes,
            globals: code.globals,
            shim: strip(module(links.shim)?.bytes)?,
            fixup: strip(module(links.fixup)?.bytes)?,
            max_pages: at(&main.memories, 0, "memory")?.maximum,
            is_warmed: warmed.is_some(),
            memory,
            steps,
        })
    }

    /// The component `bytes`, of which this base was read, with another memory to compare functions with.
    pub fn warm(&self, bytes: &[u8], memory: &[u8]) -> Result<Vec<u8>> {
        let image = Image::difference(self.key, &self.memory, memory)?.encode();
        let mut component = we::Component::new();
        for section in sections(bytes, COMPONENT)? {
            // Names and debug information are as large as the code.
            if section.id != 0 {
                component.section(&we::RawSection {
                    id: section.id,
                    data: section.data,
                });
            }
        }
        component.section(&we::CustomSection {
            name: WARMED.into(),
            data: (&image[..]).into(),
        });
        Ok(component.finish())
    }

    /// The base is what `bytes` hold from now on.
    pub fn rename(&mut self, bytes: &[u8]) {
        self.key = Sha256::digest(bytes).into();
    }

    /// A component that imports its core modules and exports, beside what the base exports, what takes and restores a memory.
    pub fn serving(&self) -> Result<Vec<u8>> {
        let memory = memory_module(&[], 1, self.max_pages);
        let modules = [&memory, &self.code, &self.shim, &self.fixup];
        let kinds = modules.map(|module| module_type(module));
        let mut imports = Vec::new();
        for (index, (name, kind)) in (0_u32..).zip(MODULES.iter().zip(kinds)) {
            let (mut types, mut section) = (
                we::CoreTypeSection::new(),
                we::ComponentImportSection::new(),
            );
            types.ty().module(&kind?);
            section.import(*name, we::ComponentTypeRef::Module(index));
            imports.push((types, section));
        }
        Ok(self.write(true, |component| {
            for (types, section) in &imports {
                component.section(types).section(section);
            }
        }))
    }

    /// A component that holds everything and runs wherever the base runs.
    pub fn portable(&self, memory: &[u8]) -> Vec<u8> {
        let memory = memory_module(memory, memory.len().div_ceil(PAGE), self.max_pages);
        self.write(false, |component| {
            for module in [&memory, &self.code, &self.shim, &self.fixup] {
                component.section(&we::RawSection {
                    id: 1,
                    data: module,
                });
            }
        })
    }

    fn write(&self, with_memory: bool, modules: impl Fn(&mut we::Component)) -> Vec<u8> {
        let mut component = we::Component::new();
        for step in &self.steps {
            match step {
                Step::Section { id, data } => {
                    component.section(&we::RawSection { id: *id, data });
                }
                Step::Modules => {
                    modules(&mut component);
                    write_first_instances(&mut component);
                }
                Step::Memory(exports) => {
                    if with_memory {
                        exports.write(&mut component);
                    }
                }
            }
        }
        component.finish()
    }
}

/// Splits what the snapshot export answered into the memory, refusing one that could not be started from.
pub fn unpack_snapshot<'s>(snapshot: &'s [u8], globals: &[i32]) -> Result<&'s [u8]> {
    const LIST: usize = memory_code::LIST as usize;
    let tail = LIST + 4 * globals.len();
    let length = snapshot.len().checked_sub(tail);
    let (memory, tail) = length
        .and_then(|length| snapshot.split_at_checked(length))
        .ok_or_else(|| Refused::new("the snapshot is too short"))?;
    let found = tail.get(LIST..).unwrap_or_default().chunks_exact(4);
    let unchanged = globals
        .iter()
        .zip(found)
        .all(|(expected, found)| expected.to_le_bytes() == *found);
    if unchanged {
        Ok(memory)
    } else {
        Err(Refused::new("the program stopped in the middle of a call"))
    }
}
