//! Large objects: code, sources, artifacts, images.

use async_trait::async_trait;
use bytes::Bytes;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("there is no object {0}")]
    Missing(String),
    /// The content does not have the hash that was promised. Nothing was written, or what was read must not be used.
    #[error("the content of {0} is damaged")]
    Damaged(String),
    #[error("{0} is not a valid key")]
    InvalidKey(String),
    /// It has too much to do, or did not answer in time; the same call may succeed later.
    #[error("the blob store is busy: {0}")]
    Busy(String),
    #[error("the blob store failed: {0}")]
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Seconds since the epoch.
    pub modified: i64,
}

/// Objects by key, as in `code/ws-1/fn-1/ab12.py`: `/` between segments of `[A-Za-z0-9._=@-]`, none of them `.` or `..`. Implementations MUST
///
/// - show an object whole or not at all, and keep it after `kill -9` once a put was acknowledged;
/// - refuse any other key with [`BlobError::InvalidKey`] and never leave their root;
/// - check `sha256` (hexadecimal) where it is given: [`BlobError::Damaged`] before anything is visible;
/// - list every object below a prefix, also beyond a page of the technology.
#[async_trait]
pub trait Blobs: Send + Sync + 'static {
    async fn put(&self, key: &str, content: Bytes, sha256: Option<&str>) -> Result<(), BlobError>;

    /// Takes a local file over; it may be moved, so that a large artifact is not copied.
    async fn put_file(&self, key: &str, file: &Path, sha256: Option<&str>)
    -> Result<(), BlobError>;

    async fn get(&self, key: &str, sha256: Option<&str>) -> Result<Bytes, BlobError>;

    /// The object as a local file to read, for as long as `scratch` exists: the object itself where it is one, else a copy made in `scratch`.
    async fn local_file(&self, key: &str, scratch: &Path) -> Result<PathBuf, BlobError>;

    async fn exists(&self, key: &str) -> Result<bool, BlobError>;

    /// A missing object is fine.
    async fn delete(&self, key: &str) -> Result<(), BlobError>;

    /// All objects whose key starts with this prefix, in no order.
    async fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, BlobError>;

    /// Deletes all objects below a prefix that ends with `/`; any other is refused with [`BlobError::InvalidKey`], so that `fn-1` does not take
    /// `fn-10` along. None there is fine.
    async fn delete_folder(&self, prefix: &str) -> Result<(), BlobError>;

    /// The address shown in answers: `local://key`, `s3://bucket/key`.
    fn url(&self, key: &str) -> String;

    /// Cheap proof that the store answers.
    async fn check(&self) -> Result<(), BlobError>;

    /// Bytes on disk on this machine; `None` when the objects are elsewhere.
    async fn disk_usage(&self) -> Option<u64>;
}
