//! Reads a core module as far as joining needs it, and refuses what joining could get wrong.

use std::collections::HashMap;
use wasmparser::{
    CodeSectionReader, CompositeInnerType, ConstExpr, DataKind, DataSectionReader, ElementItems,
    ElementKind, ElementSectionReader, ExportSectionReader, ExternalKind, FuncType, FunctionBody,
    FunctionSectionReader, GlobalSectionReader, GlobalType, ImportSectionReader,
    MemorySectionReader, MemoryType, Operator, TableSectionReader, TableType, TypeRef,
    TypeSectionReader,
};

use super::refusal::{Refused, Result, at, refuse};
use super::section::{MODULE, sections};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Function,
    Table,
    Memory,
    Global,
}

impl Kind {
    pub fn of(kind: ExternalKind) -> Result<Self> {
        match kind {
            ExternalKind::Func | ExternalKind::FuncExact => Ok(Self::Function),
            ExternalKind::Table => Ok(Self::Table),
            ExternalKind::Memory => Ok(Self::Memory),
            ExternalKind::Global => Ok(Self::Global),
            ExternalKind::Tag => refuse("a module has an exception tag"),
        }
    }
}

/// A sum of at most one global and a constant: what addresses in position-independent code are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub global: Option<u32>,
    pub constant: i32,
}

pub(super) struct Elements {
    pub table: u32,
    pub offset: Sum,
    pub functions: Vec<u32>,
}

#[derive(Default)]
pub(super) struct Imports<'a> {
    /// Module and name, by kind.
    pub functions: Vec<(&'a str, &'a str)>,
    pub tables: Vec<(&'a str, &'a str)>,
    pub memories: Vec<(&'a str, &'a str)>,
    pub globals: Vec<(&'a str, &'a str)>,
}

impl<'a> Imports<'a> {
    pub fn of(&self, kind: Kind) -> &[(&'a str, &'a str)] {
        match kind {
            Kind::Function => &self.functions,
            Kind::Table => &self.tables,
            Kind::Memory => &self.memories,
            Kind::Global => &self.globals,
        }
    }
}

#[derive(Default)]
pub(super) struct CoreModule<'a> {
    pub bytes: &'a [u8],
    pub types: Vec<FuncType>,
    pub imports: Imports<'a>,
    /// Type indices of all functions, the imported ones first.
    pub function_types: Vec<u32>,
    pub bodies: Vec<FunctionBody<'a>>,
    pub tables: Vec<TableType>,
    pub memories: Vec<MemoryType>,
    /// Those defined here.
    pub globals: Vec<(GlobalType, Sum)>,
    pub exports: HashMap<&'a str, (Kind, u32)>,
    pub elements: Vec<Elements>,
    /// Address and content.
    pub data: Vec<(u32, &'a [u8])>,
}

impl<'a> CoreModule<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Self {
            bytes,
            ..Self::default()
        };
        for section in sections(bytes, MODULE)? {
            let reader = section.reader();
            match section.id {
                0 | 12 => {}
                1 => module.read_types(TypeSectionReader::new(reader)?)?,
                2 => module.read_imports(ImportSectionReader::new(reader)?)?,
                3 => {
                    for index in FunctionSectionReader::new(reader)? {
                        module.function_types.push(index?);
                    }
                }
                4 => {
                    for table in TableSectionReader::new(reader)? {
                        module.tables.push(table?.ty);
                    }
                }
                5 => {
                    for memory in MemorySectionReader::new(reader)? {
                        module.memories.push(memory?);
                    }
                }
                6 => {
                    for global in GlobalSectionReader::new(reader)? {
                        let global = global?;
                        module.globals.push((global.ty, sum(&global.init_expr)?));
                    }
                }
                7 => {
                    for export in ExportSectionReader::new(reader)? {
                        let export = export?;
                        module
                            .exports
                            .insert(export.name, (Kind::of(export.kind)?, export.index));
                    }
                }
                9 => module.read_elements(ElementSectionReader::new(reader)?)?,
                10 => {
                    for body in CodeSectionReader::new(reader)? {
                        module.bodies.push(body?);
                    }
                }
                11 => module.read_data(DataSectionReader::new(reader)?)?,
                8 => return refuse("a module has a start function"),
                id => return refuse(format!("a module has a section of kind {id}")),
            }
        }
        if module.imports.functions.len() + module.bodies.len() != module.function_types.len() {
            return refuse("a module has functions without code");
        }
        Ok(module)
    }

    fn read_types(&mut self, types: TypeSectionReader<'a>) -> Result<()> {
        for group in types {
            for kind in group?.into_types() {
                match kind.composite_type.inner {
                    CompositeInnerType::Func(function) => self.types.push(function),
                    _ => return refuse("a module has a type that is no function's"),
                }
            }
        }
        Ok(())
    }

    fn read_imports(&mut self, imports: ImportSectionReader<'a>) -> Result<()> {
        for import in imports.into_imports() {
            let import = import?;
            let list = match import.ty {
                TypeRef::Func(index) => {
                    self.function_types.push(index);
                    &mut self.imports.functions
                }
                TypeRef::Table(_) => &mut self.imports.tables,
                TypeRef::Memory(_) => &mut self.imports.memories,
                TypeRef::Global(_) => &mut self.imports.globals,
                _ => return refuse("a module imports something that is not known"),
            };
            list.push((import.module, import.name));
        }
        Ok(())
    }

    fn read_elements(&mut self, elements: ElementSectionReader<'a>) -> Result<()> {
        for segment in elements {
            let segment = segment?;
            let ElementKind::Active {
                table_index,
                offset_expr,
            } = segment.kind
            else {
                return refuse("a table is not filled at once");
            };
            let ElementItems::Functions(functions) = segment.items else {
                return refuse("a table is filled with expressions");
            };
            self.elements.push(Elements {
                table: table_index.unwrap_or(0),
                offset: sum(&offset_expr)?,
                functions: functions.into_iter().collect::<Result<_, _>>()?,
            });
        }
        Ok(())
    }

    fn read_data(&mut self, data: DataSectionReader<'a>) -> Result<()> {
        for segment in data {
            let segment = segment?;
            let DataKind::Active {
                memory_index: 0,
                offset_expr,
            } = segment.kind
            else {
                return refuse("a memory is not filled at once");
            };
            let offset = sum(&offset_expr)?;
            if offset.global.is_some() {
                return refuse("data lies at an address that is not constant");
            }
            self.data
                .push((offset.constant.cast_unsigned(), segment.data));
        }
        Ok(())
    }

    /// How many functions are imported: the index of the first one defined here.
    pub fn imported_functions(&self) -> u32 {
        self.imports.functions.len() as u32
    }

    pub fn body(&self, function: u32) -> Result<&FunctionBody<'a>> {
        let Some(defined) = function.checked_sub(self.imported_functions()) else {
            return refuse("an imported function was taken for a defined one");
        };
        at(&self.bodies, defined, "function body")
    }

    pub fn function_type(&self, function: u32) -> Result<&FuncType> {
        let index = at(&self.function_types, function, "function")?;
        at(&self.types, *index, "type")
    }

    pub fn export(&self, name: &str) -> Result<(Kind, u32)> {
        self.exports
            .get(name)
            .copied()
            .ok_or_else(|| Refused::new(format!("a module does not export {name}")))
    }

    pub fn has_export(&self, name: &str, kind: Kind) -> bool {
        self.exports
            .get(name)
            .is_some_and(|(found, _)| *found == kind)
    }
}

fn sum(expression: &ConstExpr<'_>) -> Result<Sum> {
    let mut sum = Sum::default();
    let (mut terms, mut additions) = (0, 0);
    let mut operators = expression.get_operators_reader();
    loop {
        match operators.read()? {
            Operator::I32Const { value } => {
                sum.constant = sum.constant.wrapping_add(value);
                terms += 1;
            }
            Operator::GlobalGet { global_index } => {
                if sum.global.replace(global_index).is_some() {
                    return refuse("an address is the sum of two globals");
                }
                terms += 1;
            }
            Operator::I32Add => additions += 1,
            Operator::End => break,
            other => return refuse(format!("a constant is made by {other:?}")),
        }
    }
    if additions + 1 == terms {
        Ok(sum)
    } else {
        refuse("a constant is no sum")
    }
}
