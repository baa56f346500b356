//! Items as DynamoDB's attributes, and back.
//!
//! Two things that JSON can say and DynamoDB cannot are written another way, so that they come back: a number outside its range (1E-130 to
//! 9.9E+125) as the bytes of its text, and the empty name of an entry in a map as `\0`, which names that begin with it get once more.
//! A number whose fraction is zero comes back as a whole one: DynamoDB keeps no spelling.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};
use std::collections::HashMap;

use crate::port::store::{Item, Key, StoreError};

pub(super) type Attributes = HashMap<String, AttributeValue>;

pub(super) const PK: &str = "PK";
pub(super) const SK: &str = "SK";

/// Stands before a name that DynamoDB would refuse.
const ESCAPE: char = '\0';

pub(super) fn key_attributes(key: &Key) -> Attributes {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(key.pk.clone())),
        (SK.to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

pub(super) fn to_attributes(key: &Key, item: &Item) -> Attributes {
    let mut attributes = key_attributes(key);
    attributes.extend(
        item.iter()
            .map(|(name, value)| (name.clone(), to_attribute(value))),
    );
    attributes
}

/// The item without its key. Attributes of the first system may be null: they are left out.
pub(super) fn from_attributes(attributes: Attributes) -> Item {
    attributes
        .into_iter()
        .filter(|(name, _)| name != PK && name != SK)
        .map(|(name, attribute)| (name, from_attribute(attribute)))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// The key and the item.
pub(super) fn from_row(mut attributes: Attributes) -> Result<(Key, Item), StoreError> {
    match (attributes.remove(PK), attributes.remove(SK)) {
        (Some(AttributeValue::S(pk)), Some(AttributeValue::S(sk))) => {
            Ok((Key { pk, sk }, from_attributes(attributes)))
        }
        _ => Err(StoreError::Failed(
            "an item came without its key".to_owned(),
        )),
    }
}

pub(super) fn to_attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
        Value::Number(number) if is_in_range(number) => AttributeValue::N(number.to_string()),
        Value::Number(number) => AttributeValue::B(Blob::new(number.to_string())),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(values) => AttributeValue::L(values.iter().map(to_attribute).collect()),
        Value::Object(map) => AttributeValue::M(
            map.iter()
                .map(|(name, value)| (escaped(name), to_attribute(value)))
                .collect(),
        ),
    }
}

fn is_in_range(number: &Number) -> bool {
    let size = number.as_f64().unwrap_or_default().abs();
    size == 0.0 || (1e-130..1e125).contains(&size)
}

fn escaped(name: &str) -> String {
    if name.is_empty() || name.starts_with(ESCAPE) {
        format!("{ESCAPE}{name}")
    } else {
        name.to_owned()
    }
}

fn unescaped(name: String) -> String {
    match name.strip_prefix(ESCAPE) {
        Some(rest) => rest.to_owned(),
        None => name,
    }
}

fn from_attribute(attribute: AttributeValue) -> Value {
    match attribute {
        AttributeValue::Bool(flag) => Value::Bool(flag),
        AttributeValue::N(text) => from_number(&text),
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::L(values) => values.into_iter().map(from_attribute).collect(),
        AttributeValue::M(map) => Value::Object(
            map.into_iter()
                .map(|(name, value)| (unescaped(name), from_attribute(value)))
                .collect::<Map<_, _>>(),
        ),
        AttributeValue::B(bytes) => from_bytes(bytes.as_ref()),
        // We write no sets; another program may have.
        AttributeValue::Ss(texts) => texts.into(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|text| from_number(text)).collect(),
        AttributeValue::Bs(all) => all.iter().map(|bytes| from_bytes(bytes.as_ref())).collect(),
        _ => Value::Null,
    }
}

/// Whole where it can be.
fn from_number(text: &str) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Ok(whole) = text.parse::<i64>() {
        return whole.into();
    }
    if let Ok(whole) = text.parse::<u64>() {
        return whole.into();
    }
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() <= EXACT => (number as i64).into(),
        Ok(number) => number.into(),
        Err(_) => Value::Null,
    }
}

fn from_bytes(bytes: &[u8]) -> Value {
    match serde_json::from_slice::<Number>(bytes) {
        Ok(number) => Value::Number(number),
        Err(_) => Value::String(STANDARD.encode(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn round_trip(value: &Value) -> Value {
        from_attribute(to_attribute(value))
    }

    #[test]
    fn what_dynamodb_has_no_word_for_comes_back() {
        for value in [
            json!(1e300),
            json!(-1e-200),
            json!(f64::MAX),
            json!(u64::MAX),
            json!({"": 1, "\0": 2, "\0\0": 3}),
            json!([null, {"a": null}]),
        ] {
            assert_eq!(round_trip(&value), value);
        }
        let AttributeValue::M(map) = to_attribute(&json!({"": 1})) else {
            panic!("a map");
        };
        assert!(map.keys().all(|name| !name.is_empty()));
        assert!(matches!(to_attribute(&json!(1e126)), AttributeValue::B(_)));
    }

    #[test]
    fn numbers_of_any_spelling_are_read() {
        for (text, expected) in [
            ("5", json!(5)),
            ("5.0", json!(5)),
            ("-1.50", json!(-1.5)),
            ("1E+2", json!(100)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1e21", json!(1e21)),
        ] {
            assert_eq!(from_attribute(AttributeValue::N(text.to_owned())), expected);
        }
    }

    #[test]
    fn what_other_programs_write_is_read() {
        let attributes = HashMap::from([
            ("PK".to_owned(), AttributeValue::S("WS#a".to_owned())),
            ("SK".to_owned(), AttributeValue::S("METADATA".to_owned())),
            ("description".to_owned(), AttributeValue::Null(true)),
            (
                "tags".to_owned(),
                AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()]),
            ),
            ("raw".to_owned(), AttributeValue::B(Blob::new([0xFF, 0x00]))),
        ]);
        let (key, item) = from_row(attributes).unwrap();
        assert_eq!(key, Key::new("WS#a", "METADATA"));
        assert_eq!(
            Value::Object(item),
            json!({"tags": ["a", "b"], "raw": "/wA="})
        );
    }
}
