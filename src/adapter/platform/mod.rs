//! Where functions run: a folder per technology.

pub mod spinapp;
pub mod wasmtime;
