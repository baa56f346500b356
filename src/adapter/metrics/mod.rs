//! Where CPU figures come from.

pub mod embedded;
pub mod prometheus;
