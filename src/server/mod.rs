//! The process: configuration, composition of adapters, the two listeners and what stands before every request.

pub mod compose;
pub mod config;
pub mod console;
pub mod context;
pub mod functions_listener;
mod head_timer;
pub mod healthcheck;
pub mod listen;
pub mod metrics;
pub mod middleware;
pub mod moving;
pub mod run;
pub mod stop;
pub mod telemetry;
