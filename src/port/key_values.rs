//! Spin's `key-value` interface, as a platform offers it to functions.

use async_trait::async_trait;
use bytes::Bytes;

/// Bytes of one value at most.
pub const MAX_VALUE: usize = 1024 * 1024;
/// Bytes of all values of a function at most.
pub const MAX_TOTAL: u64 = 100 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum KeyValueError {
    /// The value, the key or the whole is too large; the text says which limit.
    #[error("{0}")]
    TooLarge(String),
    #[error("the key-value store failed")]
    Failed,
}

/// Values of one owner (a function, or an app without one). Implementations MUST keep owners apart and make an acknowledged `set` durable.
#[async_trait]
pub trait KeyValues: Send + Sync + 'static {
    async fn get(&self, owner: &str, key: &str) -> Result<Option<Bytes>, KeyValueError>;
    async fn set(&self, owner: &str, key: &str, value: Bytes) -> Result<(), KeyValueError>;
    async fn delete(&self, owner: &str, key: &str) -> Result<(), KeyValueError>;
    async fn keys(&self, owner: &str) -> Result<Vec<String>, KeyValueError>;
}
