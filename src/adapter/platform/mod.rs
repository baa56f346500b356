//! Where functions run: a folder per technology.

pub mod wasmtime;
