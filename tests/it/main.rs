//! The integration tests, one binary.

mod architecture;
mod contract;
mod dynamodb;
mod engine;
mod env_file;
mod moving;
mod platform;
mod properties;
mod rest;
mod support;
