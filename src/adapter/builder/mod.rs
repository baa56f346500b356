//! Builders.

pub mod embedded;
pub mod remote;
