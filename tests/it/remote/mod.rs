//! Builds by a Builder Service, through the build engine: whatever happens to requests and servers, each task ends, and has its effect once.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod chaos;
mod flow;
mod replica;
mod service;
