//! Deploying a function: its settings and history, and what is there once it is deployed.

pub mod calls;
pub mod configuration;
pub mod endpoint;
pub mod form;
pub mod history;
pub mod manifest;
