//! Sources that are really built, deployed and called.

mod journey;
