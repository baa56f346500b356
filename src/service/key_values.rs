//! Spin's `key-value` interface over the store and the blobs.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::functions::record::sha256_hex;
use super::table::{Table, to_item};
use crate::model::error::Error;
use crate::port::blobs::Blobs;
use crate::port::key_values::{KeyValueError, KeyValues, MAX_TOTAL, MAX_VALUE};
use crate::port::keys::{self, METADATA, VALUE_PREFIX};
use crate::port::store::{Condition, Key, Query, Update, Write};

/// Values up to this size stay in the item, in bytes.
const MAX_INLINE: usize = 32 * 1024;
/// Bytes of a key at most; it is part of the sort key.
const MAX_KEY: usize = 512;

/// A value as it is stored; its key is kept as well because sort keys hold it encoded.
#[derive(Serialize, Deserialize)]
struct ValueRecord {
    key: String,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inline: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    revision: f64,
}

pub struct StoredKeyValues {
    table: Table,
    blobs: Arc<dyn Blobs>,
}

impl StoredKeyValues {
    pub fn new(table: Table, blobs: Arc<dyn Blobs>) -> Arc<Self> {
        Arc::new(Self { table, blobs })
    }

    fn item_key(owner: &str, key: &str) -> Key {
        Key::new(
            keys::key_value_partition(owner),
            format!(
                "{VALUE_PREFIX}{}",
                base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key)
            ),
        )
    }

    fn total_key(owner: &str) -> Key {
        Key::new(keys::key_value_partition(owner), METADATA)
    }

    /// Each value has an object of its own, so that writers never share one.
    fn blob_key(owner: &str, key: &str, sha256: &str) -> String {
        format!(
            "{}{}/{sha256}",
            blob_prefix(owner),
            sha256_hex(key.as_bytes())
        )
    }

    async fn replace(
        &self,
        owner: &str,
        key: &str,
        value: Option<&Bytes>,
    ) -> Result<(), KeyValueError> {
        for _ in 0..32 {
            let item_key = Self::item_key(owner, key);
            let before: Option<ValueRecord> = self.table.get(&item_key).await.map_err(failed)?;
            let condition = before.as_ref().map_or(Condition::Absent, |before| {
                Condition::Equals("revision".to_owned(), before.revision.into())
            });
            let old_size = before.as_ref().map_or(0, |before| before.size);
            let new_size = value.map_or(0, |value| (value.len() + key.len()) as u64);
            let write = match value {
                Some(value) => Write::Put {
                    key: item_key,
                    item: to_item(&self.record(owner, key, value, before.as_ref()).await?)
                        .map_err(failed)?,
                    condition: Some(condition),
                },
                None if before.is_none() => return Ok(()),
                None => Write::Delete {
                    key: item_key,
                    condition: Some(condition),
                },
            };
            let room = (MAX_TOTAL + old_size).saturating_sub(new_size) + 1;
            let mut total =
                Update::new(Self::total_key(owner)).add("bytes", new_size as f64 - old_size as f64);
            if new_size > old_size {
                total = total.when(Condition::MissingOrBelow("bytes".to_owned(), room.into()));
            }
            if self
                .table
                .try_transact(vec![write, Write::Update(total)], None)
                .await
                .map_err(failed)?
            {
                self.drop_old(owner, key, before.as_ref(), value).await?;
                return Ok(());
            }
            let used = self
                .table
                .get_item(&Self::total_key(owner))
                .await
                .map_err(failed)?
                .and_then(|item| item.get("bytes").and_then(serde_json::Value::as_f64))
                .unwrap_or_default();
            if new_size > old_size && used + (new_size - old_size) as f64 > MAX_TOTAL as f64 {
                return Err(KeyValueError::TooLarge(format!(
                    "The values of this function are at most {} MiB in all; delete some first.",
                    MAX_TOTAL / 1024 / 1024
                )));
            }
        }
        Err(KeyValueError::Failed)
    }

    async fn record(
        &self,
        owner: &str,
        key: &str,
        value: &Bytes,
        before: Option<&ValueRecord>,
    ) -> Result<ValueRecord, KeyValueError> {
        let mut record = ValueRecord {
            key: key.to_owned(),
            size: (value.len() + key.len()) as u64,
            inline: None,
            sha256: None,
            revision: before.map_or(1.0, |before| before.revision + 1.0),
        };
        if value.len() <= MAX_INLINE {
            record.inline = Some(STANDARD.encode(value));
        } else {
            let sha256 = sha256_hex(value);
            self.blobs
                .put(
                    &Self::blob_key(owner, key, &sha256),
                    value.clone(),
                    Some(&sha256),
                )
                .await
                .map_err(|cause| failed(super::table::blob_error(cause)))?;
            record.sha256 = Some(sha256);
        }
        Ok(record)
    }

    async fn drop_old(
        &self,
        owner: &str,
        key: &str,
        before: Option<&ValueRecord>,
        value: Option<&Bytes>,
    ) -> Result<(), KeyValueError> {
        let Some(old) = before.and_then(|before| before.sha256.as_deref()) else {
            return Ok(());
        };
        if value.is_none_or(|value| sha256_hex(value) != old) {
            self.blobs
                .delete(&Self::blob_key(owner, key, old))
                .await
                .map_err(|cause| failed(super::table::blob_error(cause)))?;
        }
        Ok(())
    }

    /// Deletes everything of an owner.
    pub async fn remove_owner(&self, owner: &str) -> Result<(), Error> {
        let deleted = self.blobs.delete_folder(&blob_prefix(owner)).await;
        deleted.map_err(super::table::blob_error)?;
        self.table
            .delete_partition(&keys::key_value_partition(owner), "")
            .await
    }
}

fn blob_prefix(owner: &str) -> String {
    format!("key-values/{}/", owner.replace(':', "="))
}

fn failed(_: Error) -> KeyValueError {
    KeyValueError::Failed
}

fn check_key(key: &str) -> Result<(), KeyValueError> {
    if key.is_empty() || key.len() > MAX_KEY {
        Err(KeyValueError::TooLarge(format!(
            "A key has 1 to {MAX_KEY} bytes."
        )))
    } else {
        Ok(())
    }
}

#[async_trait]
impl KeyValues for StoredKeyValues {
    async fn get(&self, owner: &str, key: &str) -> Result<Option<Bytes>, KeyValueError> {
        let record: Option<ValueRecord> = self
            .table
            .get(&Self::item_key(owner, key))
            .await
            .map_err(failed)?;
        let Some(record) = record else {
            return Ok(None);
        };
        match (record.inline, record.sha256) {
            (Some(text), _) => STANDARD
                .decode(text)
                .map(|value| Some(value.into()))
                .map_err(|_| KeyValueError::Failed),
            (None, Some(sha256)) => self
                .blobs
                .get(&Self::blob_key(owner, key, &sha256), Some(&sha256))
                .await
                .map(Some)
                .map_err(|cause| failed(super::table::blob_error(cause))),
            (None, None) => Err(KeyValueError::Failed),
        }
    }

    async fn set(&self, owner: &str, key: &str, value: Bytes) -> Result<(), KeyValueError> {
        check_key(key)?;
        if value.len() > MAX_VALUE {
            return Err(KeyValueError::TooLarge(format!(
                "A value is at most {} KiB.",
                MAX_VALUE / 1024
            )));
        }
        self.replace(owner, key, Some(&value)).await
    }

    async fn delete(&self, owner: &str, key: &str) -> Result<(), KeyValueError> {
        self.replace(owner, key, None).await
    }

    async fn keys(&self, owner: &str) -> Result<Vec<String>, KeyValueError> {
        let records: Vec<ValueRecord> = self
            .table
            .all(Query::prefix(
                keys::key_value_partition(owner),
                VALUE_PREFIX,
            ))
            .await
            .map_err(failed)?;
        Ok(records.into_iter().map(|record| record.key).collect())
    }
}
