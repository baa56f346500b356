//! What the rules need from technology. Each trait's docs are its contract; `tests/it/contract` holds every adapter to it.

pub mod blobs;
pub mod builder;
pub mod key_values;
pub mod keys;
pub mod logs;
pub mod metrics;
pub mod platform;
pub mod remote;
pub mod store;
pub mod trace;
pub mod versions;
