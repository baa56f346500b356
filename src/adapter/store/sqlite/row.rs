//! An item as a row, and the limits both stores share.

use serde_json::{Map, Number, Value};

use super::codec;
use crate::port::store::{EXPIRES_AT, Item, Key, MAX_DEPTH, StoreError};

/// Bytes of an item at most: names and values (DynamoDB's limit).
const MAX_ITEM: usize = 400 * 1024;
/// Bytes of a partition key at most (DynamoDB's limit).
const MAX_PK: usize = 2048;
/// Bytes of a sort key at most (DynamoDB's limit).
const MAX_SK: usize = 1024;

/// The columns beside the key.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub body: Vec<u8>,
    pub expires_at: Option<i64>,
}

impl Row {
    /// Fails when the item is not one both stores can keep.
    pub fn encode(item: &Item) -> Result<Self, StoreError> {
        for (name, value) in item {
            if name.is_empty() || name == "PK" || name == "SK" {
                return Err(StoreError::Failed(format!(
                    "an attribute cannot be named {name:?}"
                )));
            }
            if value.is_null() {
                return Err(StoreError::Failed(format!(
                    "the attribute {name} is null: leave it out"
                )));
            }
            if !is_nested_within(value, MAX_DEPTH) {
                return Err(StoreError::Failed(format!(
                    "the attribute {name} is nested deeper than {MAX_DEPTH} levels: keep it as a text"
                )));
            }
        }
        let body = codec::encode(item);
        // A number takes less here than DynamoDB counts for it, so the second walk is for items that come near the limit.
        if body.len() > MAX_ITEM / 8 {
            let size = size_of_map(item);
            if size > MAX_ITEM {
                return Err(StoreError::Failed(format!(
                    "an item takes {MAX_ITEM} bytes at most, this one has {size}"
                )));
            }
        }
        Ok(Self {
            body,
            expires_at: item
                .get(EXPIRES_AT)
                .and_then(Value::as_f64)
                .map(|seconds| seconds.floor() as i64),
        })
    }
}

pub(super) fn decode(body: &[u8]) -> Result<Item, StoreError> {
    codec::decode(body).ok_or_else(|| {
        StoreError::Failed(
            "an item's body is damaged: restore the data directory from a backup".to_owned(),
        )
    })
}

pub(super) fn check_key(key: &Key) -> Result<(), StoreError> {
    for (name, value, max) in [("partition", &key.pk, MAX_PK), ("sort", &key.sk, MAX_SK)] {
        if value.is_empty() || value.len() > max {
            return Err(StoreError::Failed(format!(
                "a {name} key takes 1 to {max} bytes, this one has {}",
                value.len()
            )));
        }
    }
    Ok(())
}

/// A sum as an item keeps it: whole numbers stay whole, as far as a float counts them exactly.
pub(super) fn number(sum: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if sum.fract() == 0.0 && sum.abs() <= EXACT {
        return Some(Value::from(sum as i64));
    }
    Number::from_f64(sum).map(Value::Number)
}

/// Lists and maps within each other, at most `levels` of them.
fn is_nested_within(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(values) => {
            levels > 0
                && values
                    .iter()
                    .all(|value| is_nested_within(value, levels - 1))
        }
        Value::Object(map) => {
            levels > 0
                && map
                    .values()
                    .all(|value| is_nested_within(value, levels - 1))
        }
        _ => true,
    }
}

/// Bytes as DynamoDB counts them, about: texts in UTF-8, a little for each number and element.
fn size_of_map(map: &Map<String, Value>) -> usize {
    map.iter()
        .map(|(name, value)| name.len() + size(value))
        .sum()
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(_) => 11,
        Value::String(text) => text.len(),
        Value::Array(values) => 3 + values.iter().map(|value| 1 + size(value)).sum::<usize>(),
        Value::Object(map) => 3 + map.len() + size_of_map(map),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_time_of_expiry_becomes_a_column_when_it_is_a_number() {
        let expiry = |value: Value| {
            Row::encode(json!({ EXPIRES_AT: value }).as_object().unwrap())
                .unwrap()
                .expires_at
        };
        assert_eq!(expiry(json!(1_765_000_000)), Some(1_765_000_000));
        assert_eq!(expiry(json!(1_765_000_000.9)), Some(1_765_000_000));
        assert_eq!(expiry(json!("tomorrow")), None);
    }

    #[test]
    fn an_item_is_as_large_as_its_names_and_values() {
        let text = |length: usize| {
            json!({"code": "\n".repeat(length)})
                .as_object()
                .unwrap()
                .clone()
        };
        assert!(Row::encode(&text(MAX_ITEM - 4)).is_ok());
        assert!(Row::encode(&text(MAX_ITEM - 3)).is_err());
        let numbers = |count: usize| json!({"n": vec![1; count]}).as_object().unwrap().clone();
        assert!(Row::encode(&numbers(MAX_ITEM / 12 - 1)).is_ok());
        assert!(Row::encode(&numbers(MAX_ITEM / 12 + 1)).is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| {
            (0..levels).fold(json!(1), |inner, level| {
                if level % 2 == 0 {
                    json!([inner])
                } else {
                    json!({"a": inner})
                }
            })
        };
        assert!(Row::encode(json!({"a": nested(MAX_DEPTH)}).as_object().unwrap()).is_ok());
        assert!(Row::encode(json!({"a": nested(MAX_DEPTH + 1)}).as_object().unwrap()).is_err());
    }

    #[test]
    fn sums_stay_whole_where_they_are() {
        assert_eq!(number(3.0), Some(json!(3)));
        assert_eq!(number(-0.5), Some(json!(-0.5)));
        assert_eq!(number(f64::INFINITY), None);
    }
}
