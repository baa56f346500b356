//! Whether a condition holds for an item, as DynamoDB would say.

use serde_json::{Number, Value};
use std::cmp::Ordering;

use crate::port::store::{Condition, Item};

/// `item` is the item before the write, `None` when there is none.
pub(super) fn holds(condition: &Condition, item: Option<&Item>) -> bool {
    let attribute = |name: &str| item.and_then(|item| item.get(name));
    match condition {
        Condition::Exists => item.is_some(),
        Condition::Absent => item.is_none(),
        Condition::Equals(name, value) => attribute(name).is_some_and(|found| same(found, value)),
        Condition::OneOf(name, values) => {
            attribute(name).is_some_and(|found| values.iter().any(|value| same(found, value)))
        }
        Condition::Missing(name) => attribute(name).is_none(),
        Condition::MissingOrBelow(name, bound) => {
            attribute(name).is_none_or(|found| below(found, bound))
        }
        Condition::All(conditions) => conditions.iter().all(|condition| holds(condition, item)),
        Condition::Any(conditions) => conditions.iter().any(|condition| holds(condition, item)),
    }
}

/// Numbers are equal by value: 1 is 1.0, at every depth.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            compare(left, right) == Some(Ordering::Equal)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

fn below(found: &Value, bound: &Value) -> bool {
    match (found, bound) {
        (Value::Number(found), Value::Number(bound)) => {
            compare(found, bound) == Some(Ordering::Less)
        }
        (Value::String(found), Value::String(bound)) => found < bound,
        _ => false,
    }
}

fn compare(left: &Number, right: &Number) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        return Some(left.cmp(&right));
    }
    if let (Some(left), Some(right)) = (left.as_u64(), right.as_u64()) {
        return Some(left.cmp(&right));
    }
    left.as_f64()?.partial_cmp(&right.as_f64()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(value: Value) -> Item {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn numbers_are_compared_by_value_and_not_by_their_spelling() {
        let item = item(json!({"n": 1, "list": [1, {"deep": 2.0}]}));
        assert!(holds(
            &Condition::Equals("n".into(), json!(1.0)),
            Some(&item)
        ));
        assert!(holds(
            &Condition::Equals("list".into(), json!([1.0, {"deep": 2}])),
            Some(&item)
        ));
        assert!(!holds(
            &Condition::Equals("n".into(), json!("1")),
            Some(&item)
        ));
        assert!(!holds(
            &Condition::Equals("list".into(), json!([1])),
            Some(&item)
        ));
    }

    #[test]
    fn large_whole_numbers_are_told_apart() {
        let item = item(json!({"n": 9_007_199_254_740_992_i64}));
        assert!(holds(
            &Condition::MissingOrBelow("n".into(), json!(9_007_199_254_740_993_i64)),
            Some(&item)
        ));
        assert!(!holds(
            &Condition::MissingOrBelow("n".into(), json!(9_007_199_254_740_992_i64)),
            Some(&item)
        ));
    }

    #[test]
    fn values_of_different_types_are_never_below_each_other() {
        let item = item(json!({"text": "5", "flag": true}));
        assert!(!holds(
            &Condition::MissingOrBelow("text".into(), json!(9)),
            Some(&item)
        ));
        assert!(!holds(
            &Condition::MissingOrBelow("flag".into(), json!(true)),
            Some(&item)
        ));
        assert!(holds(
            &Condition::MissingOrBelow("text".into(), json!("6")),
            Some(&item)
        ));
    }
}
