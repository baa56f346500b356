//! The single table in one SQLite file: `items(pk, sk, body)`, the attributes encoded by [`codec`].
//!
//! One thread writes, in groups that share a commit ([`writer`]); three connections read ([`reader`]). What a write means is decided in
//! [`change`] and [`condition`], with the item as it is, inside the group's transaction.

mod change;
mod codec;
mod condition;
mod connection;
mod reader;
mod row;
mod writer;

use async_trait::async_trait;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::limits::{check_query, check_transaction};
use crate::port::store::{Item, Key, Page, Query, Store, StoreError, TablePage, Update, Write};
use crate::port::versions::Versions;
use change::Change;
use reader::Readers;
use writer::{Outcome, Work, Writer};

const DATABASE: &str = "blue-faas.db";

/// A store in one directory, for one server at a time. Dropping it finishes the writes that were queued.
///
/// Reads run where they are called, on the async worker: one takes about as long as handing it to a blocking thread and back would, because it
/// is a lookup in a page cache under an uncontended lock. The longest is a page of 1 MiB, a few milliseconds. Only the first read of a page
/// that the system has not cached waits for the disk.
pub struct SqliteStore {
    // Fields drop in this order: the lock goes last, when nothing can write any more.
    writer: Writer,
    readers: Readers,
    versions: Arc<Versions>,
    _lock: File,
}

impl SqliteStore {
    /// Opens `blue-faas.db` in this directory, making both when they are missing.
    ///
    /// Fails when another server has the directory, when the file was written by a newer schema, or when it cannot be read or written.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let lock = connection::lock_directory(directory)?;
        let database = directory.join(DATABASE);
        let versions = Arc::new(Versions::default());
        let writer = Writer::start(connection::open_for_writing(&database)?, versions.clone())?;
        let readers = Readers::open(&database)?;
        Ok(Self {
            writer,
            readers,
            versions,
            _lock: lock,
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.readers.with(|connection| reader::get(connection, key))
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        check_query(query)?;
        self.readers
            .with(|connection| reader::query(connection, query))
    }

    async fn scan(&self, after: Option<&Key>) -> Result<TablePage, StoreError> {
        self.readers
            .with(|connection| reader::scan(connection, after))
    }

    async fn write(&self, write: Write) -> Result<(), StoreError> {
        self.writer
            .submit(Work::Write(Change::new(write)?))
            .await
            .map(drop)
    }

    async fn update(&self, update: Update) -> Result<Item, StoreError> {
        match self
            .writer
            .submit(Work::Write(Change::new(Write::Update(update))?))
            .await?
        {
            Outcome::Updated(item) => Ok(item),
            Outcome::Done | Outcome::Purged(_) => {
                Err(StoreError::Failed("an update gave no item".to_owned()))
            }
        }
    }

    async fn transact(&self, writes: Vec<Write>, token: Option<&str>) -> Result<(), StoreError> {
        check_transaction(&writes)?;
        let changes = writes
            .into_iter()
            .map(Change::new)
            .collect::<Result<Vec<_>, _>>()?;
        self.writer
            .submit(Work::Transact {
                changes,
                token: token.map(str::to_owned),
            })
            .await
            .map(drop)
    }

    async fn purge_expired(&self, now_seconds: i64, limit: usize) -> Result<usize, StoreError> {
        match self
            .writer
            .submit(Work::Purge {
                now: now_seconds,
                limit,
            })
            .await?
        {
            Outcome::Purged(count) => Ok(count),
            Outcome::Done | Outcome::Updated(_) => {
                Err(StoreError::Failed("a purge gave no count".to_owned()))
            }
        }
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn version(&self, pk: &str) -> Option<u64> {
        Some(self.versions.of(pk))
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.writer.check()?;
        self.readers.with(reader::check)
    }

    async fn disk_usage(&self) -> Option<u64> {
        // The file keeps its size when items go; their pages are written again before it grows.
        match self.readers.with(reader::bytes_in_use) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                tracing::warn!(%error, "the size of the database could not be read");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn what_is_deleted_no_longer_counts_as_used() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).unwrap();
        let key = |n: usize| Key::new("p", format!("{n:03}"));
        let empty = store.disk_usage().await.unwrap();
        let item = json!({"text": "x".repeat(100_000)});
        for n in 0..20 {
            let item = item.as_object().unwrap().clone();
            store.write(Write::put(key(n), item)).await.unwrap();
        }
        let full = store.disk_usage().await.unwrap();
        assert!(full > empty + 2_000_000, "{empty} grew to {full}");
        for n in 0..20 {
            store.write(Write::delete(key(n))).await.unwrap();
        }
        let freed = store.disk_usage().await.unwrap();
        assert!(freed < empty + 200_000, "{full} fell to {freed} only");
    }
}
