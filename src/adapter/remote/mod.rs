//! Functions outside of this server.

pub mod http;
