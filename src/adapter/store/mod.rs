//! Adapters of [`crate::port::store`].

pub mod sqlite;
