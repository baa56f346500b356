//! Adapters of [`crate::port::blobs`].
