//! Sources that are really built, deployed and called.

mod differential;
mod journey;
mod snapshot;
