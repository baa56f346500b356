//! What stands before every request.

pub mod guard;
pub mod headers;
pub mod request;
