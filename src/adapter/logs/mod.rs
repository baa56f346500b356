//! Where live lines come from.

pub mod embedded;
pub mod loki;
