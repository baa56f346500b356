//! The product's readers of bases and images.

#[path = "../../src/adapter/snapshot/base/mod.rs"]
pub mod base;
