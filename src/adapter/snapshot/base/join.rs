//! Makes one core module of all that a base consists of, but for the shim and its fixup.
//!
//! What is left out is what no call can reach. Addresses that the linker kept in globals become constants, calls through stubs become
//! direct calls, and the memory is imported, so that one compiled module serves every function whatever its memory holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use wasm_encoder as we;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasmparser::{CanonicalFunction, CanonicalOption, Operator};

use super::link::{Links, Origin};
use super::memory_code;
use super::module::Kind;
use super::refusal::{Refused, Result, at, refuse};
use super::rewrite::{Rewriter, Types, trouble};

/// Functions that forget what belongs to the run in which the snapshot is taken: handles of the host, open folders.
const RESETS: [&str; 2] = ["reset_adapter_state", "__wasilibc_reset_preopens"];

pub(super) struct Joining<'a> {
    pub links: &'a Links<'a>,
    live: BTreeSet<(u32, u32)>,
    /// What is called but not part of the joined module.
    pub external: BTreeSet<Origin>,
    /// Globals that are written to, by module and index: their place in the joined module.
    pub globals: BTreeMap<(u32, u32), u32>,
    functions: HashMap<Origin, u32>,
    /// Functions that the component needs by name, from it.
    exports: BTreeSet<u32>,
    resets: Vec<Origin>,
    types: Types,
}

pub(super) struct CodeModule {
    pub bytes: Vec<u8>,
    /// What its globals are before anything runs.
    pub globals: Vec<i32>,
}

impl<'a> Joining<'a> {
    pub fn new(links: &'a Links<'a>) -> Result<Self> {
        for (index, module) in (0_u32..).zip(&links.component.modules) {
            for memory in 0..module.imports.memories.len() as u32 {
                if links.origin(index, Kind::Memory, memory)? != Origin::Module(0, 0) {
                    return refuse("a module works on another memory");
                }
            }
        }
        let resets = RESETS.iter().map(|name| links.defined_function(name));
        let mut joining = Self {
            links,
            live: BTreeSet::new(),
            external: BTreeSet::new(),
            globals: BTreeMap::new(),
            functions: HashMap::new(),
            exports: BTreeSet::new(),
            resets: resets.collect::<Result<_>>()?,
            types: Types::default(),
        };
        joining.follow_calls()?;
        let live = joining
            .live
            .iter()
            .map(|(module, index)| Origin::Module(*module, *index));
        let order = joining.external.iter().copied().chain(live);
        joining.functions = order.zip(0_u32..).collect();
        Ok(joining)
    }

    fn is_external(&self, origin: Origin) -> bool {
        match origin {
            Origin::Canonical(_) => true,
            Origin::Module(module, _) => !self.links.is_joined(module),
        }
    }

    fn follow_calls(&mut self) -> Result<()> {
        let mut work = self.roots()?;
        let mut written = BTreeSet::new();
        while let Some(origin) = work.pop() {
            if self.is_external(origin) {
                self.external.insert(origin);
                continue;
            }
            let Origin::Module(module, function) = origin else {
                continue;
            };
            if !self.live.insert((module, function)) {
                continue;
            }
            let found = at(&self.links.component.modules, module, "module")?;
            for operator in found.body(function)?.get_operators_reader()? {
                match operator? {
                    Operator::Call { function_index } | Operator::RefFunc { function_index } => {
                        work.push(self.links.origin(module, Kind::Function, function_index)?);
                    }
                    Operator::GlobalSet { global_index } => {
                        let global = self.links.global(module, global_index)?;
                        written.insert((global.module, global.index));
                    }
                    other => refuse_shared_state(&other)?,
                }
            }
        }
        self.globals = written.into_iter().zip(0_u32..).collect();
        Ok(())
    }

    /// Where a call can begin: from outside, through the table, or for the snapshot.
    fn roots(&self) -> Result<Vec<Origin>> {
        let links = self.links;
        let mut roots = self.resets.clone();
        for (module, function) in links.slots.values() {
            roots.push(links.origin(*module, Kind::Function, *function)?);
        }
        for function in links
            .component
            .lifted
            .iter()
            .chain(&links.component.canonical)
        {
            let options = match function {
                CanonicalFunction::Lift {
                    core_func_index,
                    options,
                    ..
                } => {
                    roots.push(links.direct(links.item(Kind::Function, *core_func_index)?));
                    options
                }
                CanonicalFunction::Lower { options, .. } => options,
                CanonicalFunction::ResourceNew { .. }
                | CanonicalFunction::ResourceDrop { .. }
                | CanonicalFunction::ResourceRep { .. } => continue,
                other => return refuse(format!("the component uses {other:?}")),
            };
            for option in options {
                if let CanonicalOption::Realloc(index) | CanonicalOption::PostReturn(index) = option
                {
                    roots.push(links.direct(links.item(Kind::Function, *index)?));
                }
            }
        }
        let fixup = at(&links.component.modules, links.fixup, "module")?;
        for (from, name) in &fixup.imports.functions {
            let origin = links.direct(links.import(links.fixup, from, name)?);
            // What the fixup alone needs is not called from here.
            if !self.is_external(origin) {
                roots.push(origin);
            }
        }
        Ok(roots)
    }

    /// The name under which the joined module exports a function.
    pub fn export(&mut self, origin: Origin) -> Result<String> {
        if self.is_external(origin) {
            return refuse("a function from outside was taken for one of the joined module");
        }
        let index = self.function(origin)?;
        self.exports.insert(index);
        Ok(export_name(index))
    }

    /// The name under which the joined module imports something external.
    pub fn import_name(&self, origin: Origin) -> Result<String> {
        Ok(self.function(origin)?.to_string())
    }

    /// A function's index in the joined module.
    pub fn function(&self, origin: Origin) -> Result<u32> {
        self.functions
            .get(&origin)
            .copied()
            .ok_or_else(|| Refused::new(format!("{origin:?} is called but was not found")))
    }

    fn external_types(&mut self) -> Result<Vec<u32>> {
        let mut found = HashMap::new();
        for (index, module) in (0_u32..).zip(&self.links.component.modules) {
            for function in 0..module.imported_functions() {
                if self.links.is_joined(index) {
                    let origin = self.links.origin(index, Kind::Function, function)?;
                    if self.external.contains(&origin) {
                        found.insert(origin, self.types.index(module.function_type(function)?));
                    }
                }
            }
        }
        let kind = |origin| found.get(origin).copied();
        let kinds: Option<Vec<u32>> = self.external.iter().map(kind).collect();
        kinds.ok_or_else(|| Refused::new("the type of a called function is not known"))
    }

    /// The joined module.
    pub fn write(mut self) -> Result<CodeModule> {
        let external_types = self.external_types()?;
        let (functions, code) = self.write_functions()?;
        let mut module = we::Module::new();
        let mut types = we::TypeSection::new();
        for kind in &self.types.list {
            let kind = RoundtripReencoder
                .func_type(kind.clone())
                .map_err(trouble)?;
            types.ty().func_type(&kind);
        }
        let mut imports = we::ImportSection::new();
        imports.import("e", "memory", self.memory()?);
        for (origin, kind) in self.external.iter().zip(external_types) {
            imports.import(
                "i",
                &self.import_name(*origin)?,
                we::EntityType::Function(kind),
            );
        }
        let mut exports = we::ExportSection::new();
        for index in &self.exports {
            exports.export(&export_name(*index), we::ExportKind::Func, *index);
        }
        let first = self.functions.len() as u32;
        for (name, index) in memory_code::NAMES.into_iter().zip(first..) {
            exports.export(name, we::ExportKind::Func, index);
        }
        let (globals, values) = self.write_globals()?;
        module
            .section(&types)
            .section(&imports)
            .section(&functions)
            .section(&self.write_table()?)
            .section(&globals)
            .section(&exports)
            .section(&self.write_elements()?)
            .section(&code);
        Ok(CodeModule {
            bytes: module.finish(),
            globals: values,
        })
    }

    fn memory(&self) -> Result<we::MemoryType> {
        let main = at(&self.links.component.modules, 0, "module")?;
        let memory = at(&main.memories, 0, "memory")?;
        if memory.memory64 || memory.shared || memory.page_size_log2.is_some() {
            return refuse("the memory is of an unusual kind");
        }
        Ok(we::MemoryType {
            minimum: 1,
            maximum: memory.maximum,
            memory64: false,
            shared: false,
            page_size_log2: None,
        })
    }

    fn write_functions(&mut self) -> Result<(we::FunctionSection, we::CodeSection)> {
        let (mut functions, mut code) = (we::FunctionSection::new(), we::CodeSection::new());
        let mut types = std::mem::take(&mut self.types);
        for (module, function) in &self.live {
            let found = at(&self.links.component.modules, *module, "module")?;
            functions.function(types.index(found.function_type(*function)?));
            let mut rewriter = Rewriter {
                joining: self,
                types: &mut types,
                module: *module,
            };
            rewriter
                .parse_function_body(&mut code, found.body(*function)?.clone())
                .map_err(trouble)?;
        }
        let resets: Result<Vec<u32>> = self
            .resets
            .iter()
            .map(|reset| self.function(*reset))
            .collect();
        for (kind, body) in memory_code::functions(&resets?, self.globals.len() as u32)? {
            functions.function(types.index(&kind));
            code.function(&body);
        }
        self.types = types;
        Ok((functions, code))
    }

    fn write_table(&self) -> Result<we::TableSection> {
        let main = at(&self.links.component.modules, 0, "module")?;
        let mut kind = *at(&main.tables, 0, "table")?;
        let slots = self
            .links
            .slots
            .keys()
            .next_back()
            .map_or(0, |last| u64::from(*last) + 1);
        kind.initial = kind.initial.max(slots);
        if kind.initial > u64::from(super::link::MAX_SLOTS) {
            return refuse("the function table is too large");
        }
        kind.maximum = kind.maximum.map(|most| most.max(kind.initial));
        let mut tables = we::TableSection::new();
        tables.table(RoundtripReencoder.table_type(kind).map_err(trouble)?);
        Ok(tables)
    }

    fn write_globals(&self) -> Result<(we::GlobalSection, Vec<i32>)> {
        let (mut globals, mut values) = (we::GlobalSection::new(), Vec::new());
        for (module, index) in self.globals.keys() {
            let global = self.links.global(*module, *index)?;
            let kind = RoundtripReencoder
                .global_type(global.kind)
                .map_err(trouble)?;
            globals.global(kind, &we::ConstExpr::i32_const(global.value));
            values.push(global.value);
        }
        Ok((globals, values))
    }

    fn write_elements(&self) -> Result<we::ElementSection> {
        let mut elements = we::ElementSection::new();
        let mut run: (u32, Vec<u32>) = (0, Vec::new());
        let mut flush = |run: &mut (u32, Vec<u32>)| {
            if !run.1.is_empty() {
                elements.active(
                    None,
                    &we::ConstExpr::i32_const(run.0.cast_signed()),
                    we::Elements::Functions(std::mem::take(&mut run.1).into()),
                );
            }
        };
        for (slot, (module, function)) in &self.links.slots {
            if u64::from(run.0) + run.1.len() as u64 != u64::from(*slot) {
                flush(&mut run);
                run.0 = *slot;
            }
            let origin = self.links.origin(*module, Kind::Function, *function)?;
            run.1.push(self.function(origin)?);
        }
        flush(&mut run);
        Ok(elements)
    }
}

fn export_name(function: u32) -> String {
    format!("f{function}")
}

/// Instructions whose meaning depends on what a module has of its own, other than memory, functions and globals.
fn refuse_shared_state(operator: &Operator<'_>) -> Result<()> {
    match operator {
        Operator::TableSet { .. }
        | Operator::TableGrow { .. }
        | Operator::TableCopy { .. }
        | Operator::TableFill { .. }
        | Operator::TableInit { .. }
        | Operator::ElemDrop { .. }
        | Operator::MemoryInit { .. }
        | Operator::DataDrop { .. } => refuse(format!("the base's code uses {operator:?}")),
        _ => Ok(()),
    }
}
