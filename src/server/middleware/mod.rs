//! What stands before every request of the console and the API.

pub mod guard;
pub mod headers;
