//! The integration tests, one binary.

mod architecture;
mod cluster;
mod contract;
mod dynamodb;
mod engine;
mod env_file;
mod history;
mod moving;
mod platform;
mod properties;
mod remote;
mod rest;
mod serving;
mod support;
