//! Typed reads and writes over the store, and its errors in the product's words.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

use super::first_system;
use crate::model::error::{Error, ErrorKind, Result};
use crate::port::blobs::BlobError;
use crate::port::store::{Item, Key, Page, Query, Store, StoreError, Update, Write};

/// Logs the cause under an id and answers the generic text that names it.
pub fn internal(operation: &str, cause: impl std::fmt::Display) -> Error {
    let id = uuid::Uuid::now_v7();
    tracing::error!(%id, operation, %cause, "internal error");
    Error::new(ErrorKind::Internal, format!("The server could not finish this. Try again; if it stays, look for {id} in the server's log.")).with_operation(operation)
}

pub fn store_error(error: StoreError) -> Error {
    match error {
        StoreError::ConditionFailed { .. } => {
            Error::conflict("Someone else changed this at the same moment. Reload and try again.")
        }
        StoreError::Busy => Error::overloaded("The store is busy. Try again in a moment."),
        StoreError::Failed(cause) => internal("STORE_ERROR", cause),
    }
}

pub fn blob_error(error: BlobError) -> Error {
    match error {
        BlobError::Busy(cause) => {
            tracing::warn!(%cause, "the blob store is busy");
            Error::overloaded("The object store is busy. Try again in a moment.")
        }
        other => internal("BLOB_ERROR", other),
    }
}

/// A record as an item; absent options are left out.
pub fn to_item<T: Serialize>(record: &T) -> Result<Item> {
    match serde_json::to_value(record) {
        Ok(Value::Object(mut item)) => {
            item.retain(|_, value| !value.is_null());
            Ok(item)
        }
        Ok(_) => Err(internal("STORE_ERROR", "a record is not a map")),
        Err(cause) => Err(internal("STORE_ERROR", cause)),
    }
}

/// A record from its item, one of the first system's included.
pub fn from_item<T: DeserializeOwned>(key: &Key, mut item: Item) -> Result<T> {
    first_system::complete(key, &mut item);
    serde_json::from_value(Value::Object(item))
        .map_err(|cause| internal("STORE_ERROR", format!("{}/{}: {cause}", key.pk, key.sk)))
}

/// The store with records instead of items.
#[derive(Clone)]
pub struct Table {
    store: Arc<dyn Store>,
}

impl Table {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The version of a partition's items; `None` where other processes may write.
    pub fn version(&self, pk: &str) -> Option<u64> {
        self.store.version(pk)
    }

    pub fn is_exclusive(&self) -> bool {
        self.store.is_exclusive()
    }

    pub async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>> {
        self.store
            .get(key)
            .await
            .map_err(store_error)?
            .map(|item| from_item(key, item))
            .transpose()
    }

    pub async fn get_item(&self, key: &Key) -> Result<Option<Item>> {
        self.store.get(key).await.map_err(store_error)
    }

    /// One page of items.
    pub async fn page(&self, query: &Query) -> Result<Page> {
        self.store.query(query).await.map_err(store_error)
    }

    /// Every record of a query, page after page, up to `query.limit` a page. An item that cannot be read is logged and left out, so that it does not break a list for everyone.
    pub async fn all<T: DeserializeOwned>(&self, query: Query) -> Result<Vec<T>> {
        let records = self.all_with_keys(query).await?;
        Ok(records.into_iter().map(|(_, record)| record).collect())
    }

    /// The same with their keys.
    pub async fn all_with_keys<T: DeserializeOwned>(
        &self,
        mut query: Query,
    ) -> Result<Vec<(Key, T)>> {
        let mut records = Vec::new();
        loop {
            let page = self.page(&query).await?;
            let read = page.items.into_iter();
            records.extend(read.filter_map(|(key, item)| {
                let record = from_item(&key, item).ok()?;
                Some((key, record))
            }));
            if page.next.is_none() {
                return Ok(records);
            }
            query.after = page.next;
        }
    }

    /// At most `limit` records.
    pub async fn first<T: DeserializeOwned>(&self, query: Query, limit: usize) -> Result<Vec<T>> {
        let mut records = Vec::new();
        let mut query = query.limit(limit);
        loop {
            let page = self.page(&query).await?;
            records.extend(
                page.items
                    .into_iter()
                    .filter_map(|(key, item)| from_item(&key, item).ok()),
            );
            if page.next.is_none() || records.len() >= limit {
                records.truncate(limit);
                return Ok(records);
            }
            query.after = page.next;
        }
    }

    /// `Ok(false)` when a condition did not hold.
    pub async fn try_transact(&self, writes: Vec<Write>, token: Option<&str>) -> Result<bool> {
        match self.store.transact(writes, token).await {
            Ok(()) => Ok(true),
            Err(StoreError::ConditionFailed { .. }) => Ok(false),
            Err(error) => Err(store_error(error)),
        }
    }

    pub async fn transact(&self, writes: Vec<Write>) -> Result<()> {
        self.store.transact(writes, None).await.map_err(store_error)
    }

    pub async fn write(&self, write: Write) -> Result<()> {
        self.store.write(write).await.map_err(store_error)
    }

    /// `None` when the condition did not hold.
    pub async fn try_update<T: DeserializeOwned>(&self, update: Update) -> Result<Option<T>> {
        let key = update.key.clone();
        match self.store.update(update).await {
            Ok(item) => from_item(&key, item).map(Some),
            Err(StoreError::ConditionFailed { .. }) => Ok(None),
            Err(error) => Err(store_error(error)),
        }
    }

    /// Deletes every item of a partition whose sort key starts with `prefix`, in batches; safe to run again.
    pub async fn delete_partition(&self, pk: &str, prefix: &str) -> Result<()> {
        loop {
            let page = self.page(&Query::prefix(pk, prefix).limit(100)).await?;
            if page.items.is_empty() {
                return Ok(());
            }
            self.transact(
                page.items
                    .into_iter()
                    .map(|(key, _)| Write::delete(key))
                    .collect(),
            )
            .await?;
        }
    }
}
