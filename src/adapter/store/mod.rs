//! Adapters of [`crate::port::store`]. What every one of them refuses is in `limits`.

pub mod dynamodb;
mod limits;
pub mod sqlite;
