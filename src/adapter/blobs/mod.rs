//! Adapters of [`crate::port::blobs`].

pub mod filesystem;
mod key;
