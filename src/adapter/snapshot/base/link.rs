//! Follows names through instances to what they mean: the module and index where an item is defined.

use std::collections::{BTreeMap, HashMap};
use wasmparser::{GlobalType, Operator};

use super::component::{Component, CoreFunction, CoreInstance};
use super::module::Kind;
use super::refusal::{Refused, Result, at, refuse};

/// Wiring deeper than this is a circle.
const MAX_DEPTH: u32 = 64;
/// Name of the table through which wit-component's shim calls what exists only later.
const IMPORTS: &str = "$imports";
/// Slots of the joined table at most.
pub(super) const MAX_SLOTS: u32 = 1_000_000;

/// Where an item comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Origin {
    /// Module, and index of the item's kind in it, imports counted.
    Module(u32, u32),
    /// Index into the component's canonical functions.
    Canonical(u32),
}

pub(super) struct Global {
    pub module: u32,
    pub index: u32,
    pub kind: GlobalType,
    /// Before anything ran.
    pub value: i32,
}

pub(super) struct Links<'a> {
    pub component: &'a Component<'a>,
    /// wit-component's two modules that close circles of imports; they stay as they are.
    pub shim: u32,
    pub fixup: u32,
    /// Functions of module 0 that only call through one fixed slot of the table: to what lies in the slot.
    stubs: HashMap<u32, Origin>,
    /// The function table: module and function, by slot.
    pub slots: BTreeMap<u32, (u32, u32)>,
}

impl<'a> Links<'a> {
    pub fn new(component: &'a Component<'a>) -> Result<Self> {
        let find = |what: &str, test: &dyn Fn(&super::module::CoreModule<'_>) -> bool| {
            let mut found = (0_u32..)
                .zip(&component.modules)
                .filter(|(_, module)| test(module));
            match (found.next(), found.next()) {
                (Some((index, _)), None) => Ok(index),
                _ => refuse(format!("the component does not have exactly one {what}")),
            }
        };
        let shim = find("shim module", &|module| {
            module.has_export(IMPORTS, Kind::Table)
        })?;
        let fixup = find("fixup module", &|module| {
            module
                .imports
                .tables
                .iter()
                .any(|(_, name)| *name == IMPORTS)
        })?;
        let main = at(&component.modules, 0, "module")?;
        if main.memories.len() != 1 || main.tables.len() != 1 || shim == 0 || fixup == 0 {
            return refuse("the first module does not hold the memory and the table");
        }
        for (index, module) in (0_u32..).zip(&component.modules).skip(1) {
            let own = index == shim || index == fixup;
            if !own
                && (!module.memories.is_empty()
                    || !module.tables.is_empty()
                    || !module.data.is_empty())
            {
                return refuse(format!(
                    "module {index} has a memory, a table or data of its own"
                ));
            }
        }
        let mut links = Self {
            component,
            shim,
            fixup,
            stubs: HashMap::new(),
            slots: BTreeMap::new(),
        };
        links.slots = links.read_slots()?;
        links.stubs = links.read_stubs()?;
        Ok(links)
    }

    /// Whether a module becomes part of the joined one.
    pub fn is_joined(&self, module: u32) -> bool {
        module != self.shim && module != self.fixup
    }

    fn read_slots(&self) -> Result<BTreeMap<u32, (u32, u32)>> {
        let mut slots = BTreeMap::new();
        for &index in self
            .component
            .order
            .iter()
            .filter(|index| self.is_joined(**index))
        {
            for segment in &at(&self.component.modules, index, "module")?.elements {
                if self.origin(index, Kind::Table, segment.table)? != Origin::Module(0, 0) {
                    return refuse("a module fills a table of its own");
                }
                let base = match segment.offset.global {
                    Some(global) => self.constant(index, global)?,
                    None => 0,
                };
                let start = base.wrapping_add(segment.offset.constant).cast_unsigned();
                for (slot, function) in (u64::from(start)..).zip(&segment.functions) {
                    match u32::try_from(slot) {
                        Ok(slot) if slot < MAX_SLOTS => slots.insert(slot, (index, *function)),
                        _ => return refuse("the function table is too large"),
                    };
                }
            }
        }
        Ok(slots)
    }

    /// `local.get`s, `i32.const`, `call_indirect`: the linker's way to call a function of a module that is instantiated later.
    fn read_stubs(&self) -> Result<HashMap<u32, Origin>> {
        let main = at(&self.component.modules, 0, "module")?;
        let mut stubs = HashMap::new();
        for (function, body) in (main.imported_functions()..).zip(&main.bodies) {
            let Some(slot) = stub_slot(body, main.function_type(function)?.params().len())? else {
                continue;
            };
            if let Some((module, target)) = self.slots.get(&slot) {
                // A wrong type would have trapped, and a direct call of it would not be valid.
                let found =
                    at(&self.component.modules, *module, "module")?.function_type(*target)?;
                if found == main.function_type(function)? {
                    stubs.insert(function, self.origin(*module, Kind::Function, *target)?);
                }
            }
        }
        // A stub may lead to another one.
        for _ in 0..4 {
            let next = |origin: &Origin| match origin {
                Origin::Module(0, function) => stubs.get(function).copied().unwrap_or(*origin),
                other => *other,
            };
            stubs = stubs.iter().map(|(from, to)| (*from, next(to))).collect();
        }
        Ok(stubs)
    }

    /// Past stubs.
    pub fn direct(&self, origin: Origin) -> Origin {
        match origin {
            Origin::Module(0, function) => self.stubs.get(&function).copied().unwrap_or(origin),
            other => other,
        }
    }

    /// What an index of a module means.
    pub fn origin(&self, module: u32, kind: Kind, index: u32) -> Result<Origin> {
        self.origin_within(module, kind, index, 0)
    }

    /// What a core item of the component means.
    pub fn item(&self, kind: Kind, index: u32) -> Result<Origin> {
        self.item_within(kind, index, 0)
    }

    /// What a module's import leads to, before the shim is looked through.
    pub fn import(&self, module: u32, from: &str, name: &str) -> Result<Origin> {
        self.import_within(module, from, name, 0)
    }

    fn import_within(&self, module: u32, from: &str, name: &str, depth: u32) -> Result<Origin> {
        let instance = self.component.instance_of.get(&module);
        let instance = instance.and_then(|index| self.component.instances.get(*index as usize));
        let Some(CoreInstance::Module { arguments, .. }) = instance else {
            return refuse(format!("module {module} is never instantiated"));
        };
        let Some(argument) = arguments.get(from) else {
            return refuse(format!("module {module} gets no {from}"));
        };
        self.export_within(*argument, name, depth + 1)
    }

    fn item_within(&self, kind: Kind, index: u32, depth: u32) -> Result<Origin> {
        let component = self.component;
        let (instance, name) = match kind {
            Kind::Function => match at(&component.functions, index, "core function")? {
                CoreFunction::Canonical(function) => return Ok(Origin::Canonical(*function)),
                CoreFunction::Export(instance, name) => (*instance, *name),
            },
            Kind::Table => *at(&component.tables, index, "core table")?,
            Kind::Memory => *at(&component.memories, index, "core memory")?,
            Kind::Global => *at(&component.globals, index, "core global")?,
        };
        self.export_within(instance, name, depth + 1)
    }

    fn export_within(&self, instance: u32, name: &str, depth: u32) -> Result<Origin> {
        if depth > MAX_DEPTH {
            return refuse("the modules are wired in a circle");
        }
        match at(&self.component.instances, instance, "core instance")? {
            CoreInstance::Bundle(items) => match items.get(name) {
                Some((kind, index)) => self.item_within(*kind, *index, depth + 1),
                None => refuse(format!("a core instance has no {name}")),
            },
            CoreInstance::Module { module, .. } => {
                let (kind, index) = at(&self.component.modules, *module, "module")?.export(name)?;
                self.origin_within(*module, kind, index, depth + 1)
            }
        }
    }

    fn origin_within(&self, module: u32, kind: Kind, index: u32, depth: u32) -> Result<Origin> {
        let found = at(&self.component.modules, module, "module")?;
        let origin = match found.imports.of(kind).get(index as usize) {
            Some((from, name)) => self.import_within(module, from, name, depth + 1)?,
            None => Origin::Module(module, index),
        };
        match (kind, origin) {
            (Kind::Function, Origin::Module(through, slot)) if through == self.shim => {
                match self.behind_shim(slot, depth)? {
                    // Exists only after the joined module does: called through the shim.
                    Origin::Canonical(_) => Ok(origin),
                    defined @ Origin::Module(..) => Ok(self.direct(defined)),
                }
            }
            (Kind::Function, origin) => Ok(self.direct(origin)),
            (_, origin) => Ok(origin),
        }
    }

    /// What the fixup module puts into a slot of the shim.
    fn behind_shim(&self, slot: u32, depth: u32) -> Result<Origin> {
        let slot = slot.to_string();
        let fixup = at(&self.component.modules, self.fixup, "module")?;
        let import = fixup
            .imports
            .functions
            .iter()
            .find(|(_, name)| *name == slot);
        let Some((from, name)) = import else {
            return refuse(format!("slot {slot} of the shim is never filled"));
        };
        self.import_within(self.fixup, from, name, depth + 1)
    }

    /// A global by what it was before anything ran.
    pub fn global(&self, module: u32, index: u32) -> Result<Global> {
        self.global_within(module, index, 0)
    }

    fn global_within(&self, module: u32, index: u32, depth: u32) -> Result<Global> {
        if depth > MAX_DEPTH {
            return refuse("globals are defined in a circle");
        }
        let Origin::Module(module, index) = self.origin(module, Kind::Global, index)? else {
            return refuse("a global is a function");
        };
        let found = at(&self.component.modules, module, "module")?;
        let Some(defined) = index.checked_sub(found.imports.globals.len() as u32) else {
            return refuse("an imported global was taken for a defined one");
        };
        let (kind, sum) = at(&found.globals, defined, "global")?;
        if kind.content_type != wasmparser::ValType::I32 {
            return refuse("a global is no 32-bit number");
        }
        let base = match sum.global {
            Some(global) => self.global_within(module, global, depth + 1)?.value,
            None => 0,
        };
        Ok(Global {
            module,
            index,
            kind: *kind,
            value: base.wrapping_add(sum.constant),
        })
    }

    /// The value of a global that is never written, as addresses of code and data are.
    fn constant(&self, module: u32, index: u32) -> Result<i32> {
        Ok(self.global(module, index)?.value)
    }

    /// A function of this name that one module alone defines.
    pub fn defined_function(&self, name: &str) -> Result<Origin> {
        for (index, module) in (0_u32..).zip(&self.component.modules).skip(1) {
            if self.is_joined(index) && module.has_export(name, Kind::Function) {
                let (_, function) = module.export(name)?;
                return self.origin(index, Kind::Function, function);
            }
        }
        Err(Refused::new(format!("no module has the function {name}")))
    }
}

fn stub_slot(body: &wasmparser::FunctionBody<'_>, parameters: usize) -> Result<Option<u32>> {
    let mut operators = body.get_operators_reader()?;
    for index in 0..parameters {
        match operators.read()? {
            Operator::LocalGet { local_index } if local_index as usize == index => {}
            _ => return Ok(None),
        }
    }
    let Operator::I32Const { value } = operators.read()? else {
        return Ok(None);
    };
    let Operator::CallIndirect { table_index: 0, .. } = operators.read()? else {
        return Ok(None);
    };
    let is_end = matches!(operators.read()?, Operator::End) && operators.eof();
    Ok(is_end.then_some(value.cast_unsigned()))
}
