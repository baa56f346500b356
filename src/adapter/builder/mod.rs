//! Builders.

pub mod embedded;
