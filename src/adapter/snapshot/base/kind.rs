//! What a core module asks for and offers, as a component states it that imports the module.

use wasm_encoder as we;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasmparser::{
    CompositeInnerType, ExportSectionReader, ExternalKind, FunctionSectionReader,
    GlobalSectionReader, ImportSectionReader, MemorySectionReader, TableSectionReader, TypeRef,
    TypeSectionReader,
};

use super::refusal::{Refused, Result, at, refuse};
use super::section::{MODULE, sections};

#[derive(Default)]
struct Items {
    functions: Vec<TypeRef>,
    tables: Vec<TypeRef>,
    memories: Vec<TypeRef>,
    globals: Vec<TypeRef>,
}

impl Items {
    fn add(&mut self, item: TypeRef) -> Result<()> {
        match item {
            TypeRef::Func(_) => self.functions.push(item),
            TypeRef::Table(_) => self.tables.push(item),
            TypeRef::Memory(_) => self.memories.push(item),
            TypeRef::Global(_) => self.globals.push(item),
            _ => return refuse("a module imports something that is not known"),
        }
        Ok(())
    }

    fn get(&self, kind: ExternalKind, index: u32) -> Result<TypeRef> {
        let list = match kind {
            ExternalKind::Func | ExternalKind::FuncExact => &self.functions,
            ExternalKind::Table => &self.tables,
            ExternalKind::Memory => &self.memories,
            ExternalKind::Global => &self.globals,
            ExternalKind::Tag => return refuse("a module has an exception tag"),
        };
        at(list, index, "exported item").copied()
    }
}

pub(super) fn module_type(bytes: &[u8]) -> Result<we::ModuleType> {
    let mut kind = we::ModuleType::new();
    let mut items = Items::default();
    let entity = |item| {
        RoundtripReencoder
            .entity_type(item)
            .map_err(|error| Refused::new(error.to_string()))
    };
    for section in sections(bytes, MODULE)? {
        let reader = section.reader();
        match section.id {
            1 => {
                for group in TypeSectionReader::new(reader)? {
                    for found in group?.into_types() {
                        let CompositeInnerType::Func(function) = found.composite_type.inner else {
                            return refuse("a module has a type that is no function's");
                        };
                        let function = RoundtripReencoder.func_type(function);
                        let function = function.map_err(|error| Refused::new(error.to_string()))?;
                        kind.ty().func_type(&function);
                    }
                }
            }
            2 => {
                for import in ImportSectionReader::new(reader)?.into_imports() {
                    let import = import?;
                    items.add(import.ty)?;
                    kind.import(import.module, import.name, entity(import.ty)?);
                }
            }
            3 => {
                for index in FunctionSectionReader::new(reader)? {
                    items.add(TypeRef::Func(index?))?;
                }
            }
            4 => {
                for table in TableSectionReader::new(reader)? {
                    items.add(TypeRef::Table(table?.ty))?;
                }
            }
            5 => {
                for memory in MemorySectionReader::new(reader)? {
                    items.add(TypeRef::Memory(memory?))?;
                }
            }
            6 => {
                for global in GlobalSectionReader::new(reader)? {
                    items.add(TypeRef::Global(global?.ty))?;
                }
            }
            7 => {
                for export in ExportSectionReader::new(reader)? {
                    let export = export?;
                    kind.export(export.name, entity(items.get(export.kind, export.index)?)?);
                }
            }
            _ => {}
        }
    }
    Ok(kind)
}

/// The module without names, debug information and other custom sections.
pub(super) fn strip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut module = we::Module::new();
    for section in sections(bytes, MODULE)? {
        if section.id != 0 {
            module.section(&we::RawSection {
                id: section.id,
                data: section.data,
            });
        }
    }
    Ok(module.finish())
}
