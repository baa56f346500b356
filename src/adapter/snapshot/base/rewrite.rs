//! Writes the code of one function anew, with the indices of the joined module.

use std::collections::HashMap;
use wasm_encoder as we;
use wasm_encoder::reencode::{self, Reencode};
use wasmparser::{FuncType, Operator};

use super::join::Joining;
use super::link::Origin;
use super::module::Kind;
use super::refusal::{Refused, Result, at};

/// Function types of the joined module, each once.
#[derive(Default)]
pub(super) struct Types {
    pub list: Vec<FuncType>,
    index: HashMap<FuncType, u32>,
}

impl Types {
    pub fn index(&mut self, kind: &FuncType) -> u32 {
        if let Some(index) = self.index.get(kind) {
            return *index;
        }
        let index = self.list.len() as u32;
        self.list.push(kind.clone());
        self.index.insert(kind.clone(), index);
        index
    }
}

pub(super) fn trouble<E: Into<Refused> + std::fmt::Display>(error: reencode::Error<E>) -> Refused {
    match error {
        reencode::Error::UserError(refused) => refused.into(),
        other => Refused::new(other.to_string()),
    }
}

/// Writes one function's code with the indices of the joined module.
pub(super) struct Rewriter<'j, 'a> {
    pub joining: &'j Joining<'a>,
    pub types: &'j mut Types,
    pub module: u32,
}

impl Reencode for Rewriter<'_, '_> {
    type Error = Refused;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error<Refused>> {
        let origin = self
            .joining
            .links
            .origin(self.module, Kind::Function, index);
        let index = origin.and_then(|origin| self.joining.function(origin));
        index.map_err(reencode::Error::UserError)
    }

    fn type_index(&mut self, index: u32) -> Result<u32, reencode::Error<Refused>> {
        let module = at(&self.joining.links.component.modules, self.module, "module");
        let kind = module.and_then(|module| at(&module.types, index, "type"));
        Ok(self.types.index(kind.map_err(reencode::Error::UserError)?))
    }

    fn global_index(&mut self, index: u32) -> Result<u32, reencode::Error<Refused>> {
        let found = self.joining.links.global(self.module, index);
        let place = found.and_then(|global| {
            let place = self.joining.globals.get(&(global.module, global.index));
            place
                .copied()
                .ok_or_else(|| Refused::new("a constant is written to"))
        });
        place.map_err(reencode::Error::UserError)
    }

    fn table_index(&mut self, index: u32) -> Result<u32, reencode::Error<Refused>> {
        let origin = self.joining.links.origin(self.module, Kind::Table, index);
        match origin.map_err(reencode::Error::UserError)? {
            Origin::Module(0, 0) => Ok(0),
            _ => Err(reencode::Error::UserError(Refused::new(
                "a call goes through another table",
            ))),
        }
    }

    fn memory_index(&mut self, index: u32) -> Result<u32, reencode::Error<Refused>> {
        let origin = self.joining.links.origin(self.module, Kind::Memory, index);
        match origin.map_err(reencode::Error::UserError)? {
            Origin::Module(0, 0) => Ok(0),
            _ => Err(reencode::Error::UserError(Refused::new(
                "code works on another memory",
            ))),
        }
    }

    fn instruction<'x>(
        &mut self,
        operator: Operator<'x>,
    ) -> Result<we::Instruction<'x>, reencode::Error<Refused>> {
        if let Operator::GlobalGet { global_index } = operator {
            let global = self.joining.links.global(self.module, global_index);
            let global = global.map_err(reencode::Error::UserError)?;
            if !self
                .joining
                .globals
                .contains_key(&(global.module, global.index))
            {
                return Ok(we::Instruction::I32Const(global.value));
            }
        }
        reencode::utils::instruction(self, operator)
    }
}
