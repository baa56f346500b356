//! From a Python source to a running function without compiling anything: what builder and platform share.
//!
//! Two functions differ only in what their memory holds. So one program is compiled, the *base* (interpreter, SDK, standard library:
//! [`prepare_base`]), and a function is the *image* of the memory that importing its source leaves ([`Capturer`]): some hundred
//! kilobytes over the base's, brought into each fresh instance before a request ([`Restorer`]).

mod base;
mod bases;
mod capture;
mod compiler;
mod confine;
pub mod engine;
mod guest;
mod prepare;
mod prepared;
mod stand_in;

/// The base's Python program, its module name, and the world it uses beside the SDK's.
pub const BASE_SOURCE: &str = include_str!("base.py");
pub const BASE_MODULE: &str = "blue_faas_base";
pub const BASE_WORLD: &str = include_str!("base.wit");

pub use self::base::{Base, BaseKey, Image, Refused};
pub use self::bases::{BaseError, Bases};
pub use self::capture::{Captured, Capturer, MAX_FILES, Source, Uncaptured};
pub use self::compiler::{Compiler, NotCompiled, TIMEOUT};
pub use self::confine::confine_child;
pub use self::prepare::prepare_base;
pub use self::prepared::{
    LoadedBase, PreparedBase, Restorer, WARMED_BASE, checksum, hexadecimal, parse_key,
};
pub use self::stand_in::add_stand_ins;
