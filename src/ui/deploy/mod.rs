//! Deploying a function: its settings and history, and what is there once it is deployed.

pub mod builds_table;
pub mod calls;
pub mod canary;
mod canary_form;
mod cluster_fields;
pub mod configuration;
pub mod deployments_table;
pub mod endpoint;
pub mod form;
pub mod manifest;
pub mod version_diff;
pub mod version_facts;
pub mod versions_table;
