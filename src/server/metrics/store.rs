//! A store whose operations are measured.

use async_trait::async_trait;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::port::store::{Item, Key, Page, Query, Store, StoreError, TablePage, Update, Write};

pub(super) struct MeasuredStore(Arc<dyn Store>);

impl MeasuredStore {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }
}

async fn measured<T>(
    operation: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let begin = Instant::now();
    let span = tracing::debug_span!("store", operation, result = Empty);
    let result = work.instrument(span.clone()).await;
    let label = match &result {
        Ok(_) => "ok",
        Err(StoreError::ConditionFailed { .. }) => "condition_failed",
        Err(StoreError::Busy) => "busy",
        Err(StoreError::Failed(_)) => "failed",
    };
    span.record("result", label);
    metrics::histogram!("blue_faas_store_operation_duration_seconds", "operation" => operation, "result" => label)
        .record(begin.elapsed());
    result
}

#[async_trait]
impl Store for MeasuredStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        measured("get", self.0.get(key)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        measured("query", self.0.query(query)).await
    }

    async fn scan(&self, after: Option<&Key>) -> Result<TablePage, StoreError> {
        measured("scan", self.0.scan(after)).await
    }

    async fn write(&self, write: Write) -> Result<(), StoreError> {
        measured("write", self.0.write(write)).await
    }

    async fn update(&self, update: Update) -> Result<Item, StoreError> {
        measured("update", self.0.update(update)).await
    }

    async fn transact(&self, writes: Vec<Write>, token: Option<&str>) -> Result<(), StoreError> {
        measured("transact", self.0.transact(writes, token)).await
    }

    async fn purge_expired(&self, now_seconds: i64, limit: usize) -> Result<usize, StoreError> {
        measured("purge_expired", self.0.purge_expired(now_seconds, limit)).await
    }

    fn is_exclusive(&self) -> bool {
        self.0.is_exclusive()
    }

    fn version(&self, pk: &str) -> Option<u64> {
        self.0.version(pk)
    }

    async fn check(&self) -> Result<(), StoreError> {
        measured("check", self.0.check()).await
    }

    async fn disk_usage(&self) -> Option<u64> {
        self.0.disk_usage().await
    }
}
