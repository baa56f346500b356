//! The integration tests, one binary.

mod architecture;
mod contract;
mod dynamodb;
mod engine;
mod moving;
mod platform;
mod rest;
mod support;
