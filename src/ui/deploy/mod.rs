//! Deploying a function: its settings and history, and what is there once it is deployed.

pub mod builds_table;
pub mod calls;
pub mod configuration;
pub mod deployments_table;
pub mod endpoint;
pub mod form;
pub mod manifest;
