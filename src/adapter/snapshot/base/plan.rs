//! The component around the joined module: the base's own, with its core modules replaced.

use std::collections::HashMap;
use wasm_encoder as we;
use wasmparser as wp;
use wasmparser::{CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind};

use super::frame::{CODE, FIRST_INSTANCE, FIXUP, MEMORY_INSTANCE, MemoryExports, SHIM_INSTANCE};
use super::join::Joining;
use super::link::{Links, Origin};
use super::module::Kind;
use super::refusal::{Refused, Result, at, refuse};
use super::section::Section;

pub(super) enum Step {
    /// A section as it is.
    Section { id: u8, data: Vec<u8> },
    /// The core modules, and the first instances.
    Modules,
    /// Exports that take and restore the memory: not for components that travel.
    Memory(MemoryExports),
}

pub(super) struct Planner<'a, 'j> {
    links: &'a Links<'a>,
    joining: &'j mut Joining<'a>,
    steps: Vec<Step>,
    /// Sizes of the new component's index spaces.
    core_functions: u32,
    instances: u32,
    kinds: u32,
    functions: u32,
    /// The joined module's instance, once there is one.
    joined: Option<u32>,
    is_fixed: bool,
    is_begun: bool,
    /// New core functions of canonical ones.
    canonical: HashMap<u32, u32>,
    /// New core functions of the joined module's exports.
    aliased: HashMap<String, u32>,
    deferred: Vec<u32>,
    seen: u32,
}

impl<'a, 'j> Planner<'a, 'j> {
    pub fn plan(links: &'a Links<'a>, joining: &'j mut Joining<'a>) -> Result<Vec<Step>> {
        let mut planner = Self {
            links,
            joining,
            steps: Vec::new(),
            core_functions: 0,
            instances: FIRST_INSTANCE,
            kinds: 0,
            functions: 0,
            joined: None,
            is_fixed: false,
            is_begun: false,
            canonical: HashMap::new(),
            aliased: HashMap::new(),
            deferred: Vec::new(),
            seen: 0,
        };
        for section in &links.component.sections {
            planner.section(section)?;
        }
        if !planner.is_fixed {
            return refuse("the component exports no function");
        }
        let exports = MemoryExports {
            instance: planner.joined_instance()?,
            core_function: planner.core_functions,
            kind: planner.kinds,
            function: planner.functions,
        };
        planner.steps.push(Step::Memory(exports));
        Ok(planner.steps)
    }

    fn joined_instance(&self) -> Result<u32> {
        self.joined
            .ok_or_else(|| Refused::new("an export is needed before the joined module can exist"))
    }

    fn keep(&mut self, section: &Section<'_>) {
        self.steps.push(Step::Section {
            id: section.id,
            data: section.data.to_vec(),
        });
    }

    fn push(&mut self, section: &impl we::ComponentSection) {
        let mut data = Vec::new();
        section.encode(&mut data);
        // `encode` puts the length in front, as every section but a raw one has it.
        let prefix = data.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
        self.steps.push(Step::Section {
            id: section.id(),
            data: data.split_off(prefix.min(data.len())),
        });
    }

    fn section(&mut self, section: &Section<'a>) -> Result<()> {
        let reader = section.reader();
        match section.id {
            0 | 1 => {}
            2 => {
                if !self.is_begun {
                    self.is_begun = true;
                    self.steps.push(Step::Modules);
                }
            }
            4 | 5 => self.keep(section),
            6 => {
                for alias in wp::ComponentAliasSectionReader::new(reader)? {
                    self.alias(alias?)?;
                }
            }
            7 => {
                self.kinds += wp::ComponentTypeSectionReader::new(reader)?.count();
                self.keep(section);
            }
            8 => {
                for function in wp::ComponentCanonicalSectionReader::new(reader)? {
                    self.function(&function?)?;
                }
            }
            10 => {
                for import in wp::ComponentImportSectionReader::new(reader)? {
                    match import?.ty {
                        wp::ComponentTypeRef::Func(_) => self.functions += 1,
                        wp::ComponentTypeRef::Type(_) => self.kinds += 1,
                        wp::ComponentTypeRef::Instance(_) => {}
                        other => return refuse(format!("the component imports {other:?}")),
                    }
                }
                self.keep(section);
            }
            11 => {
                for export in wp::ComponentExportSectionReader::new(reader)? {
                    self.count(export?.kind)?;
                }
                self.keep(section);
            }
            id => return refuse(format!("the component has a section of kind {id}")),
        }
        Ok(())
    }

    fn count(&mut self, kind: ComponentExternalKind) -> Result<()> {
        match kind {
            ComponentExternalKind::Func => self.functions += 1,
            ComponentExternalKind::Type => self.kinds += 1,
            ComponentExternalKind::Instance | ComponentExternalKind::Component => {}
            other => return refuse(format!("the component shares a {other:?}")),
        }
        Ok(())
    }

    fn alias(&mut self, alias: ComponentAlias<'_>) -> Result<()> {
        let mut section = we::ComponentAliasSection::new();
        match alias {
            // Of instances that are no more.
            ComponentAlias::CoreInstanceExport { .. } => return Ok(()),
            ComponentAlias::InstanceExport {
                kind,
                instance_index,
                name,
            } => {
                self.count(kind)?;
                section.alias(we::Alias::InstanceExport {
                    instance: instance_index,
                    kind: kind.into(),
                    name,
                });
            }
            ComponentAlias::Outer {
                kind: wp::ComponentOuterAliasKind::Type,
                count,
                index,
            } => {
                self.kinds += 1;
                section.alias(we::Alias::Outer {
                    kind: we::ComponentOuterAliasKind::Type,
                    count,
                    index,
                });
            }
            other @ ComponentAlias::Outer { .. } => {
                return refuse(format!("the component has {other:?}"));
            }
        }
        self.push(&section);
        Ok(())
    }

    fn function(&mut self, function: &CanonicalFunction) -> Result<()> {
        if let CanonicalFunction::Lift {
            core_func_index,
            type_index,
            options,
        } = function
        {
            self.fix()?;
            let origin = self
                .links
                .direct(self.links.item(Kind::Function, *core_func_index)?);
            let core = self.core_function(origin)?;
            let options = self.options(options)?;
            let mut section = we::CanonicalFunctionSection::new();
            section.lift(core, *type_index, options);
            self.push(&section);
            self.functions += 1;
            return Ok(());
        }
        let index = self.seen;
        self.seen += 1;
        // A lowered function that allocates needs the joined module's allocator.
        let waits = self.joined.is_none()
            && matches!(function, CanonicalFunction::Lower { options, .. } if options.iter().any(|option| matches!(option, CanonicalOption::Realloc(_))));
        if waits {
            self.deferred.push(index);
        } else {
            self.canonical(index)?;
        }
        if self.joined.is_none() && self.seen as usize == self.links.component.canonical.len() {
            self.instantiate()?;
        }
        Ok(())
    }

    /// A core function of the new component for one of the base's.
    fn core_function(&mut self, origin: Origin) -> Result<u32> {
        if let Origin::Canonical(index) = origin {
            return self
                .canonical
                .get(&index)
                .copied()
                .ok_or_else(|| Refused::new("a function from outside is needed too early"));
        }
        let name = self.joining.export(origin)?;
        if let Some(index) = self.aliased.get(&name) {
            return Ok(*index);
        }
        let instance = self.joined_instance()?;
        let index = self.alias_core(instance, we::ExportKind::Func, &name);
        self.aliased.insert(name, index);
        Ok(index)
    }

    /// Answers the index of a function; a table's or memory's is known.
    fn alias_core(&mut self, instance: u32, kind: we::ExportKind, name: &str) -> u32 {
        let mut section = we::ComponentAliasSection::new();
        section.alias(we::Alias::CoreInstanceExport {
            instance,
            kind,
            name,
        });
        self.push(&section);
        if kind == we::ExportKind::Func {
            self.core_functions += 1;
            self.core_functions - 1
        } else {
            0
        }
    }

    fn options(&mut self, options: &[CanonicalOption]) -> Result<Vec<we::CanonicalOption>> {
        let mut written = Vec::new();
        for option in options {
            written.push(match option {
                CanonicalOption::UTF8 => we::CanonicalOption::UTF8,
                CanonicalOption::Memory(index) => {
                    if self.links.item(Kind::Memory, *index)? != Origin::Module(0, 0) {
                        return refuse("a function works on another memory");
                    }
                    we::CanonicalOption::Memory(0)
                }
                CanonicalOption::Realloc(index) => {
                    let origin = self.links.direct(self.links.item(Kind::Function, *index)?);
                    we::CanonicalOption::Realloc(self.core_function(origin)?)
                }
                CanonicalOption::PostReturn(index) => {
                    let origin = self.links.direct(self.links.item(Kind::Function, *index)?);
                    we::CanonicalOption::PostReturn(self.core_function(origin)?)
                }
                other => return refuse(format!("a function is called with {other:?}")),
            });
        }
        Ok(written)
    }

    fn canonical(&mut self, index: u32) -> Result<()> {
        let component = self.links.component;
        let mut section = we::CanonicalFunctionSection::new();
        match at(&component.canonical, index, "canonical function")? {
            CanonicalFunction::Lower {
                func_index,
                options,
            } => {
                let options = self.options(options)?;
                section.lower(*func_index, options);
            }
            CanonicalFunction::ResourceDrop { resource } => {
                section.resource_drop(*resource);
            }
            CanonicalFunction::ResourceNew { resource } => {
                section.resource_new(*resource);
            }
            CanonicalFunction::ResourceRep { resource } => {
                section.resource_rep(*resource);
            }
            other => return refuse(format!("the component uses {other:?}")),
        }
        self.push(&section);
        self.canonical.insert(index, self.core_functions);
        self.core_functions += 1;
        Ok(())
    }

    /// Makes the instance of the joined module, then what waited for it.
    fn instantiate(&mut self) -> Result<()> {
        let external: Vec<Origin> = self.joining.external.iter().copied().collect();
        let mut items = Vec::new();
        for origin in external {
            let core = match origin {
                Origin::Canonical(_) => self.core_function(origin)?,
                Origin::Module(_, function) => {
                    let shim = at(&self.links.component.modules, self.links.shim, "module")?;
                    let name = shim
                        .exports
                        .iter()
                        .find(|(_, item)| **item == (Kind::Function, function));
                    let (name, _) =
                        name.ok_or_else(|| Refused::new("a function of the shim has no name"))?;
                    self.alias_core(SHIM_INSTANCE, we::ExportKind::Func, name)
                }
            };
            items.push((
                self.joining.import_name(origin)?,
                we::ExportKind::Func,
                core,
            ));
        }
        let mut section = we::InstanceSection::new();
        section.export_items(
            items
                .iter()
                .map(|(name, kind, index)| (name.as_str(), *kind, *index)),
        );
        section.instantiate(
            CODE,
            [
                ("e", we::ModuleArg::Instance(MEMORY_INSTANCE)),
                ("i", we::ModuleArg::Instance(self.instances)),
            ],
        );
        self.push(&section);
        self.joined = Some(self.instances + 1);
        self.instances += 2;
        for index in std::mem::take(&mut self.deferred) {
            self.canonical(index)?;
        }
        Ok(())
    }

    /// Fills the shim's slots, once, before the first export.
    fn fix(&mut self) -> Result<()> {
        if self.is_fixed {
            return Ok(());
        }
        self.is_fixed = true;
        let fixup = at(&self.links.component.modules, self.links.fixup, "module")?;
        let mut items = Vec::new();
        for (from, name) in &fixup.imports.functions {
            let origin = self
                .links
                .direct(self.links.import(self.links.fixup, from, name)?);
            items.push((*name, we::ExportKind::Func, self.core_function(origin)?));
        }
        let [(from, table)] = fixup.imports.tables[..] else {
            return refuse("the fixup module does not import exactly one table");
        };
        if !from.is_empty()
            || fixup
                .imports
                .functions
                .iter()
                .any(|(from, _)| !from.is_empty())
        {
            return refuse("the fixup module imports from more than one place");
        }
        let index = self.alias_core(SHIM_INSTANCE, we::ExportKind::Table, table);
        items.push((table, we::ExportKind::Table, index));
        let mut section = we::InstanceSection::new();
        section.export_items(items);
        section.instantiate(FIXUP, [("", we::ModuleArg::Instance(self.instances))]);
        self.instances += 2;
        self.push(&section);
        Ok(())
    }
}
