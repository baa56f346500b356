//! Sources that are really built, deployed and called.

mod differential;
mod draft;
mod journey;
mod replay;
mod snapshot;
