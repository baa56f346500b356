//! From a Python source to a running function without compiling anything: what builder and platform share.
//!
//! Two functions differ only in what their memory holds. So one program is compiled, the *base* (interpreter, SDK, standard library:
//! [`prepare_base`]), and a function is the *image* of the memory that importing its source leaves ([`Capturer`]): some hundred
//! kilobytes over the base's, brought into each fresh instance before a request ([`Restorer`]).

mod base;
mod bases;
mod capture;
mod compiler;
mod component;
mod confine;
pub mod engine;
mod frame;
mod guest;
mod image;
mod join;
mod kind;
mod link;
mod memory;
mod memory_code;
mod module;
mod plan;
mod prepare;
mod prepared;
mod refusal;
mod rewrite;
mod section;
mod stand_in;
#[cfg(test)]
mod tests;

/// The base's Python program, its module name, and the world it uses beside the SDK's.
pub const BASE_SOURCE: &str = include_str!("base.py");
pub const BASE_MODULE: &str = "blue_faas_base";
pub const BASE_WORLD: &str = include_str!("base.wit");

pub use self::base::Base;
pub use self::bases::{BaseError, Bases};
pub use self::capture::{Captured, Capturer, MAX_FILES, Source, Uncaptured};
pub use self::compiler::{Compiler, NotCompiled, TIMEOUT};
pub use self::confine::confine_child;
pub use self::image::{BaseKey, Image};
pub use self::prepare::prepare_base;
pub use self::prepared::{
    LoadedBase, PreparedBase, Restorer, WARMED_BASE, checksum, hexadecimal, parse_key,
};
pub use self::refusal::Refused;
pub use self::stand_in::add_stand_ins;
