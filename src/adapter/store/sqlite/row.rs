//! An item as a row.

use serde_json::{Number, Value};

use super::codec;
use crate::adapter::store::limits::{MAX_ITEM, check_attributes, check_size};
use crate::port::store::{EXPIRES_AT, Item, StoreError};

/// The columns beside the key.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub body: Vec<u8>,
    pub expires_at: Option<i64>,
}

impl Row {
    /// Fails when the item is not one both stores can keep.
    pub fn encode(item: &Item) -> Result<Self, StoreError> {
        check_attributes(item)?;
        let body = codec::encode(item);
        // A number takes less here than DynamoDB counts for it, so the second walk is for items that come near the limit.
        if body.len() > MAX_ITEM / 8 {
            check_size(item)?;
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

/// A sum as an item keeps it: whole numbers stay whole, as far as a float counts them exactly.
pub(super) fn number(sum: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if sum.fract() == 0.0 && sum.abs() <= EXACT {
        return Some(Value::from(sum as i64));
    }
    Number::from_f64(sum).map(Value::Number)
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
    fn sums_stay_whole_where_they_are() {
        assert_eq!(number(3.0), Some(json!(3)));
        assert_eq!(number(-0.5), Some(json!(-0.5)));
        assert_eq!(number(f64::INFINITY), None);
    }
}
