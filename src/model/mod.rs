//! Value types that server and browser share. Parse, don't re-check: fields are private where a rule holds, with one fallible constructor.

pub mod address;
pub mod callable_hosts;
pub mod canary;
pub mod comparison;
pub mod deployment;
pub mod diff;
pub mod error;
pub mod execution;
pub mod figures;
pub mod form;
pub mod function;
pub mod id;
pub mod metrics;
pub mod platform;
pub mod replay;
pub mod source;
pub mod task;
pub mod time;
pub mod version;
pub mod workspace;
