//! Trying a function with a request of one's own.

pub mod check;
mod check_row;
pub mod comparison;
pub mod history;
pub mod replay;
pub mod request;
pub mod response;
