//! An item as a line, in the form of DynamoDB's own exports: `{"Item": {"PK": {"S": "…"}, "SK": {"S": "…"}, …}}`. Numbers are texts there, so
//! that every bit of a fraction survives.

use serde_json::{Map, Number, Value, json};

use crate::port::store::{Item, Key};

pub(super) fn write(key: &Key, item: &Item) -> String {
    let mut attributes = typed_map(item);
    attributes.insert("PK".to_owned(), json!({ "S": key.pk }));
    attributes.insert("SK".to_owned(), json!({ "S": key.sk }));
    json!({ "Item": attributes }).to_string()
}

/// `None` for what is no such line.
pub(super) fn read(line: &[u8]) -> Option<(Key, Item)> {
    let mut line: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let Value::Object(attributes) = line.remove("Item")? else {
        return None;
    };
    let mut item = plain_map(attributes)?;
    let mut text = |name: &str| match item.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    };
    let key = Key::new(text("PK")?, text("SK")?);
    Some((key, item))
}

fn typed_map(map: &Map<String, Value>) -> Map<String, Value> {
    let typed = |(name, value): (&String, &Value)| (name.clone(), typed(value));
    map.iter().map(typed).collect()
}

fn typed(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(value) => json!({ "BOOL": value }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(values) => json!({ "L": values.iter().map(typed).collect::<Vec<_>>() }),
        Value::Object(map) => json!({ "M": typed_map(map) }),
    }
}

fn plain_map(map: Map<String, Value>) -> Option<Map<String, Value>> {
    map.into_iter()
        .map(|(name, value)| Some((name, plain(value)?)))
        .collect()
}

fn plain(value: Value) -> Option<Value> {
    let Value::Object(typed) = value else {
        return None;
    };
    let mut typed = typed.into_iter();
    let (kind, value) = typed.next()?;
    if typed.next().is_some() {
        return None;
    }
    match (kind.as_str(), value) {
        ("NULL", _) => Some(Value::Null),
        ("BOOL", Value::Bool(value)) => Some(Value::Bool(value)),
        ("N", Value::String(text)) => number(&text).map(Value::Number),
        ("S", Value::String(text)) => Some(Value::String(text)),
        ("L", Value::Array(values)) => values.into_iter().map(plain).collect(),
        ("M", Value::Object(map)) => plain_map(map).map(Value::Object),
        _ => None,
    }
}

fn number(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    Number::from_f64(text.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_comes_back_with_every_type_and_bit() {
        let item = json!({
            "text": "가\n\"\u{0}", "empty": "", "whole": -9_007_199_254_740_992_i64, "float": 1.0, "tiny": 5e-324,
            "long": 0.123_456_789_012_345_68, "large": 1.797_693_134_862_315_7e308, "third": 1.0 / 3.0,
            "flag": false, "list": [null, 1, [true, {"S": "no type"}]], "map": {"N": {"M": {}}},
        });
        let Value::Object(item) = item else {
            panic!("a map")
        };
        let key = Key::new("WS#ws-1", "FN#fn-1");
        let line = write(&key, &item);
        assert!(!line.contains('\n'), "{line}");
        assert_eq!(read(line.as_bytes()), Some((key, item)));
    }

    #[test]
    fn what_amazon_exports_is_read() {
        let line = br#"{"Item":{"PK":{"S":"WS#a"},"SK":{"S":"METADATA"},"n":{"N":"1E2"},"at":{"N":"12"}}}"#;
        let (key, item) = read(line).unwrap();
        assert_eq!(key, Key::new("WS#a", "METADATA"));
        assert_eq!(Value::Object(item), json!({"n": 100.0, "at": 12}));
    }

    #[test]
    fn what_is_no_item_is_refused() {
        for line in [
            "",
            "{}",
            "[]",
            r#"{"Item":{}}"#,
            r#"{"Item":{"PK":{"S":"a"}}}"#,
            r#"{"Item":{"PK":{"N":"1"},"SK":{"S":"a"}}}"#,
            r#"{"Item":{"PK":{"S":"a"},"SK":{"S":"a"},"n":{"N":"x"}}}"#,
            r#"{"Item":{"PK":{"S":"a"},"SK":{"S":"a"},"n":{"N":"1","S":"1"}}}"#,
            r#"{"Item":{"PK":{"S":"a"},"SK":{"S":"a"},"b":{"B":"AA=="}}}"#,
        ] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
    }
}
