//! Changing and ending a function.

pub mod danger;
pub mod export;
pub mod form;
