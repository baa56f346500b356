//! Technology behind the ports: a folder a port, a file a technology. No adapter imports another; `snapshot` is what builder and
//! platform share, `source` what the builders do, `aws` what the adapters of AWS services do, `builder_service` what those of the Builder
//! Service do, `http_client` what all that ask over HTTP do.

pub mod aws;
pub mod blobs;
pub mod builder;
pub mod builder_service;
mod http_client;
pub mod logs;
pub mod metrics;
pub mod platform;
pub mod remote;
pub mod snapshot;
mod source;
pub mod store;
pub mod upstream;
