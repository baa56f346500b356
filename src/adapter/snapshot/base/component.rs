//! Reads a component: its core modules, how they are wired, and the functions that lead in and out.

use std::collections::HashMap;
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentAliasSectionReader,
    ComponentCanonicalSectionReader, Instance, InstanceSectionReader,
};

use super::module::{CoreModule, Kind};
use super::refusal::{Result, refuse};
use super::section::{COMPONENT, Section, sections};

/// A core function of the component's own index space.
pub(super) enum CoreFunction<'a> {
    /// An export of a core instance.
    Export(u32, &'a str),
    /// Made of a component function; an index into `canonical`.
    Canonical(u32),
}

pub(super) enum CoreInstance<'a> {
    Module {
        module: u32,
        /// Instances by the name under which the module imports from them.
        arguments: HashMap<&'a str, u32>,
    },
    /// Items put together by name.
    Bundle(HashMap<&'a str, (Kind, u32)>),
}

#[derive(Default)]
pub(super) struct Component<'a> {
    pub sections: Vec<Section<'a>>,
    pub modules: Vec<CoreModule<'a>>,
    pub instances: Vec<CoreInstance<'a>>,
    /// The one instance of each module.
    pub instance_of: HashMap<u32, u32>,
    /// Modules in the order in which they are instantiated.
    pub order: Vec<u32>,
    pub functions: Vec<CoreFunction<'a>>,
    pub tables: Vec<(u32, &'a str)>,
    pub memories: Vec<(u32, &'a str)>,
    pub globals: Vec<(u32, &'a str)>,
    /// Those that make core functions, in order.
    pub canonical: Vec<CanonicalFunction>,
    /// Those that make component functions.
    pub lifted: Vec<CanonicalFunction>,
}

impl<'a> Component<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut component = Self {
            sections: sections(bytes, COMPONENT)?,
            ..Self::default()
        };
        for section in component.sections.clone() {
            let reader = section.reader();
            match section.id {
                // Components in it, instances of them, types, imports and exports are passed on as they are.
                0 | 4 | 5 | 7 | 10 | 11 => {}
                1 => component.modules.push(CoreModule::read(section.data)?),
                2 => component.read_instances(InstanceSectionReader::new(reader)?)?,
                6 => component.read_aliases(ComponentAliasSectionReader::new(reader)?)?,
                8 => {
                    for function in ComponentCanonicalSectionReader::new(reader)? {
                        component.add_canonical(function?);
                    }
                }
                id => return refuse(format!("the component has a section of kind {id}")),
            }
        }
        Ok(component)
    }

    fn read_instances(&mut self, instances: InstanceSectionReader<'a>) -> Result<()> {
        for instance in instances {
            let index = self.instances.len() as u32;
            self.instances.push(match instance? {
                Instance::Instantiate { module_index, args } => {
                    if self.instance_of.insert(module_index, index).is_some() {
                        return refuse("a module is instantiated twice");
                    }
                    self.order.push(module_index);
                    CoreInstance::Module {
                        module: module_index,
                        arguments: args.iter().map(|arg| (arg.name, arg.index)).collect(),
                    }
                }
                Instance::FromExports(exports) => {
                    let items = exports
                        .iter()
                        .map(|export| Ok((export.name, (Kind::of(export.kind)?, export.index))));
                    CoreInstance::Bundle(items.collect::<Result<_>>()?)
                }
            });
        }
        Ok(())
    }

    fn read_aliases(&mut self, aliases: ComponentAliasSectionReader<'a>) -> Result<()> {
        for alias in aliases {
            let ComponentAlias::CoreInstanceExport {
                kind,
                instance_index,
                name,
            } = alias?
            else {
                continue;
            };
            match Kind::of(kind)? {
                Kind::Function => self
                    .functions
                    .push(CoreFunction::Export(instance_index, name)),
                Kind::Table => self.tables.push((instance_index, name)),
                Kind::Memory => self.memories.push((instance_index, name)),
                Kind::Global => self.globals.push((instance_index, name)),
            }
        }
        Ok(())
    }

    fn add_canonical(&mut self, function: CanonicalFunction) {
        if matches!(function, CanonicalFunction::Lift { .. }) {
            self.lifted.push(function);
        } else {
            self.functions
                .push(CoreFunction::Canonical(self.canonical.len() as u32));
            self.canonical.push(function);
        }
    }
}
