//! What no store takes: DynamoDB's limits, checked before anything is sent or written, so that all stores refuse the same.

use serde_json::{Map, Value};
use std::collections::HashSet;

use crate::port::store::{Item, Key, MAX_DEPTH, MAX_TRANSACTION, Query, StoreError, Update, Write};

/// Bytes of an item at most: names and values.
pub(super) const MAX_ITEM: usize = 400 * 1024;
/// Bytes of a transaction's items at most.
const MAX_TRANSACTION_SIZE: usize = 4 * 1024 * 1024;
/// Bytes of a partition key at most.
pub(super) const MAX_PK: usize = 2048;
/// Bytes of a sort key at most.
pub(super) const MAX_SK: usize = 1024;

fn refused(text: String) -> StoreError {
    StoreError::Failed(text)
}

pub(super) fn check_key(key: &Key) -> Result<(), StoreError> {
    for (name, value, max) in [("partition", &key.pk, MAX_PK), ("sort", &key.sk, MAX_SK)] {
        if value.is_empty() || value.len() > max {
            return Err(refused(format!(
                "a {name} key takes 1 to {max} bytes, this one has {}",
                value.len()
            )));
        }
    }
    Ok(())
}

pub(super) fn check_query(query: &Query) -> Result<(), StoreError> {
    if query.limit == 0 {
        return Err(refused("a query asks for one item at least".to_owned()));
    }
    Ok(())
}

/// Names and values that an item can have. Its size is [`check_size`]'s matter.
pub(super) fn check_attributes(item: &Item) -> Result<(), StoreError> {
    for (name, value) in item {
        check_name(name)?;
        if value.is_null() {
            return Err(refused(format!(
                "the attribute {name} is null: leave it out"
            )));
        }
        if !is_nested_within(value, MAX_DEPTH) {
            return Err(refused(format!(
                "the attribute {name} is nested deeper than {MAX_DEPTH} levels: keep it as a text"
            )));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), StoreError> {
    if name.is_empty() || name == "PK" || name == "SK" {
        return Err(refused(format!("an attribute cannot be named {name:?}")));
    }
    Ok(())
}

pub(super) fn check_size(item: &Item) -> Result<(), StoreError> {
    let size = size_of_map(item);
    if size > MAX_ITEM {
        return Err(refused(format!(
            "an item takes {MAX_ITEM} bytes at most, this one has {size}"
        )));
    }
    Ok(())
}

/// What can be said of an update without the item it changes.
pub(super) fn check_update(update: &Update) -> Result<(), StoreError> {
    let mut seen = HashSet::new();
    let added = update.add.iter().map(|(name, _)| name);
    for name in update.set.keys().chain(&update.remove).chain(added) {
        check_name(name)?;
        if !seen.insert(name) {
            return Err(refused(format!(
                "an update names the attribute {name} twice"
            )));
        }
    }
    if let Some((name, _)) = update.add.iter().find(|(_, amount)| !amount.is_finite()) {
        return Err(refused(format!(
            "what is added to the attribute {name} is no number"
        )));
    }
    check_attributes(&update.set)
}

/// What can be said of a transaction without looking into its writes.
pub(super) fn check_transaction(writes: &[Write]) -> Result<(), StoreError> {
    if writes.len() > MAX_TRANSACTION {
        return Err(refused(format!(
            "a transaction takes {MAX_TRANSACTION} writes at most, this one has {}",
            writes.len()
        )));
    }
    let size: usize = writes.iter().map(size_of_write).sum();
    if size > MAX_TRANSACTION_SIZE {
        return Err(refused(format!(
            "a transaction takes {MAX_TRANSACTION_SIZE} bytes at most, this one has {size}"
        )));
    }
    let mut keys: Vec<&Key> = writes.iter().map(Write::key).collect();
    keys.sort_unstable();
    if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(refused(format!(
            "a transaction names {} {} twice",
            pair[0].pk, pair[0].sk
        )));
    }
    Ok(())
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

fn size_of_write(write: &Write) -> usize {
    match write {
        Write::Put { item, .. } => size_of_map(item),
        Write::Update(update) => size_of_map(&update.set),
        Write::Delete { .. } | Write::Check { .. } => 0,
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

    fn item(value: Value) -> Item {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_item_is_as_large_as_its_names_and_values() {
        let text = |length: usize| item(json!({"code": "\n".repeat(length)}));
        assert!(check_size(&text(MAX_ITEM - 4)).is_ok());
        assert!(check_size(&text(MAX_ITEM - 3)).is_err());
        let numbers = |count: usize| item(json!({"n": vec![1; count]}));
        assert!(check_size(&numbers(MAX_ITEM / 12 - 1)).is_ok());
        assert!(check_size(&numbers(MAX_ITEM / 12 + 1)).is_err());
    }

    #[test]
    fn a_transaction_has_a_size_as_well() {
        let large = |count: usize| -> Vec<Write> {
            let text = item(json!({"code": "x".repeat(MAX_ITEM - 4)}));
            (0..count)
                .map(|n| Write::put(Key::new("p", format!("{n}")), text.clone()))
                .collect()
        };
        assert!(check_transaction(&large(10)).is_ok());
        assert!(check_transaction(&large(11)).is_err());
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
        assert!(check_attributes(&item(json!({"a": nested(MAX_DEPTH)}))).is_ok());
        assert!(check_attributes(&item(json!({"a": nested(MAX_DEPTH + 1)}))).is_err());
    }
}
