//! Where CPU figures come from.

pub mod embedded;
