//! Adapters of [`crate::port::blobs`].

pub mod filesystem;
mod hash;
mod key;
pub mod s3;
