//! The embedded platform, with real components.

mod calls;
mod deployments;
pub mod fixture;
mod limits;
mod outbound;
mod reuse;
mod speed;
mod streams;
mod workers;
