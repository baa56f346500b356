//! Where live lines come from.

pub mod embedded;
