//! What a function did: executions, output lines, metrics.

pub mod body;
pub mod execution;
pub mod executions;
pub mod filter;
pub mod filter_bar;
pub mod json;
pub mod lines;
pub mod live;
pub mod log_viewer;
pub mod metrics;
pub mod output;
pub mod timings;
