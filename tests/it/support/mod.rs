//! What tests stand on: the server as a process, a client, builders of what it keeps, components, servers of
//! other services.

pub mod announced;
pub mod answer;
pub mod app;
pub mod archive;
pub mod builders;
pub mod chaos;
pub mod cluster;
pub mod collector;
pub mod components;
pub mod emulator;
pub mod events;
pub mod figures;
pub mod gate;
pub mod moto;
pub mod proxy;
pub mod s3;
