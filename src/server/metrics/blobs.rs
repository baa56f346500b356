//! Blobs whose operations are measured.

use async_trait::async_trait;
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::port::blobs::{BlobError, BlobInfo, Blobs};

pub(super) struct MeasuredBlobs(Arc<dyn Blobs>);

impl MeasuredBlobs {
    pub fn new(blobs: Arc<dyn Blobs>) -> Self {
        Self(blobs)
    }
}

async fn measured<T>(
    operation: &'static str,
    work: impl Future<Output = Result<T, BlobError>>,
) -> Result<T, BlobError> {
    let begin = Instant::now();
    let span = tracing::debug_span!("blobs", operation, result = Empty);
    let result = work.instrument(span.clone()).await;
    let label = match &result {
        Ok(_) => "ok",
        Err(BlobError::Missing(_)) => "missing",
        Err(BlobError::Damaged(_)) => "damaged",
        Err(BlobError::InvalidKey(_)) => "invalid_key",
        Err(BlobError::Busy(_)) => "busy",
        Err(BlobError::Failed(_)) => "failed",
    };
    span.record("result", label);
    metrics::histogram!("blue_faas_blob_operation_duration_seconds", "operation" => operation, "result" => label)
        .record(begin.elapsed());
    result
}

#[async_trait]
impl Blobs for MeasuredBlobs {
    async fn put(&self, key: &str, content: Bytes, sha256: Option<&str>) -> Result<(), BlobError> {
        measured("put", self.0.put(key, content, sha256)).await
    }

    async fn put_file(
        &self,
        key: &str,
        file: &Path,
        sha256: Option<&str>,
    ) -> Result<(), BlobError> {
        measured("put_file", self.0.put_file(key, file, sha256)).await
    }

    async fn get(&self, key: &str, sha256: Option<&str>) -> Result<Bytes, BlobError> {
        measured("get", self.0.get(key, sha256)).await
    }

    async fn local_file(&self, key: &str, scratch: &Path) -> Result<PathBuf, BlobError> {
        measured("local_file", self.0.local_file(key, scratch)).await
    }

    async fn exists(&self, key: &str) -> Result<bool, BlobError> {
        measured("exists", self.0.exists(key)).await
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        measured("delete", self.0.delete(key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, BlobError> {
        measured("list", self.0.list(prefix)).await
    }

    async fn delete_folder(&self, prefix: &str) -> Result<(), BlobError> {
        measured("delete_folder", self.0.delete_folder(prefix)).await
    }

    fn url(&self, key: &str) -> String {
        self.0.url(key)
    }

    async fn check(&self) -> Result<(), BlobError> {
        measured("check", self.0.check()).await
    }

    async fn disk_usage(&self) -> Option<u64> {
        self.0.disk_usage().await
    }
}
