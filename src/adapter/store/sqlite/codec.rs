//! Items as bytes: what JSON can say, in a form that is read back with little more than copies.
//!
//! A list of a hundred items is mostly the time it takes to decode them. Texts stand here without escapes and numbers as they are, so an item
//! with code in it decodes many times faster than its JSON, and a fraction keeps every bit.
//!
//! A value is a tag byte and its content; lengths and whole numbers are in LEB128 (signed ones in zigzag), fractions in eight bytes, little-endian.

use serde_json::{Map, Number, Value};

/// First byte of every body: another number would be another format.
const FORMAT: u8 = 1;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const SIGNED: u8 = 3;
const UNSIGNED: u8 = 4;
const FRACTION: u8 = 5;
const TEXT: u8 = 6;
const LIST: u8 = 7;
const MAP: u8 = 8;

pub(super) fn encode(item: &Map<String, Value>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    bytes.push(FORMAT);
    put_map(&mut bytes, item);
    bytes
}

/// `None` when the bytes are damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut rest = bytes.strip_prefix(&[FORMAT])?;
    let item = take_map(&mut rest)?;
    rest.is_empty().then_some(item)
}

fn put_map(bytes: &mut Vec<u8>, map: &Map<String, Value>) {
    put_whole(bytes, map.len() as u64);
    for (name, value) in map {
        put_text(bytes, name);
        put_value(bytes, value);
    }
}

fn put_value(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(NULL),
        Value::Bool(false) => bytes.push(FALSE),
        Value::Bool(true) => bytes.push(TRUE),
        Value::Number(number) => put_number(bytes, number),
        Value::String(text) => {
            bytes.push(TEXT);
            put_text(bytes, text);
        }
        Value::Array(values) => {
            bytes.push(LIST);
            put_whole(bytes, values.len() as u64);
            for value in values {
                put_value(bytes, value);
            }
        }
        Value::Object(map) => {
            bytes.push(MAP);
            put_map(bytes, map);
        }
    }
}

fn put_number(bytes: &mut Vec<u8>, number: &Number) {
    if let Some(number) = number.as_i64() {
        bytes.push(SIGNED);
        put_whole(
            bytes,
            (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned(),
        );
    } else if let Some(number) = number.as_u64() {
        bytes.push(UNSIGNED);
        put_whole(bytes, number);
    } else {
        bytes.push(FRACTION);
        // A number is one of the three.
        bytes.extend(number.as_f64().unwrap_or_default().to_le_bytes());
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_whole(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn put_whole(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_map(rest: &mut &[u8]) -> Option<Map<String, Value>> {
    let count = take_whole(rest)?;
    // In order already, so that each insertion finds its place at the end.
    let mut map = Map::new();
    for _ in 0..count {
        let name = take_text(rest)?;
        map.insert(name, take_value(rest)?);
    }
    Some(map)
}

fn take_value(rest: &mut &[u8]) -> Option<Value> {
    let (tag, after) = rest.split_first()?;
    *rest = after;
    Some(match *tag {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        SIGNED => {
            let number = take_whole(rest)?;
            Value::from((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
        }
        UNSIGNED => Value::from(take_whole(rest)?),
        FRACTION => {
            let (number, after) = rest.split_first_chunk()?;
            *rest = after;
            Value::Number(Number::from_f64(f64::from_le_bytes(*number))?)
        }
        TEXT => Value::String(take_text(rest)?),
        LIST => {
            let count = take_whole(rest)?;
            // What a damaged count asks for is bounded by what is there: a value takes a byte at least.
            let mut values = Vec::with_capacity((count as usize).min(rest.len()));
            for _ in 0..count {
                values.push(take_value(rest)?);
            }
            Value::Array(values)
        }
        MAP => Value::Object(take_map(rest)?),
        _ => return None,
    })
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_whole(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok().map(str::to_owned)
}

fn take_whole(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample() -> Map<String, Value> {
        let value = json!({
            "": "", "text": "가\u{1F980}\"\\\n\0", "long": "x".repeat(70_000), "null": [null, {"a": null}], "flags": [true, false],
            "whole": [0, 1, -1, 63, -64, 64, 127, 128, i64::MAX, i64::MIN, u64::MAX, 9_007_199_254_740_992_i64],
            "fractions": [0.1, -0.0, 1.0, 1e-300, f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2],
            "deep": {"er": [{"est": {}}, []]},
        });
        value.as_object().unwrap().clone()
    }

    #[test]
    fn whatever_is_encoded_is_decoded_alike() {
        let found = decode(&encode(&sample())).unwrap();
        assert_eq!(found, sample());
        // Equality does not tell 0.0 from -0.0, the text does.
        assert_eq!(
            serde_json::to_string(&found).unwrap(),
            serde_json::to_string(&sample()).unwrap()
        );
        assert_eq!(decode(&encode(&Map::new())), Some(Map::new()));
    }

    #[test]
    fn a_body_that_was_cut_or_grew_is_damaged() {
        let mut item = sample();
        item.remove("long");
        let bytes = encode(&item);
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), None, "cut to {length}");
        }
        assert_eq!(decode(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(decode(b"{\"a\":1}"), None, "another format");
    }

    #[test]
    fn a_damaged_length_neither_panics_nor_takes_memory() {
        for tag in [TEXT, LIST, MAP, 9, 255] {
            let mut bytes = vec![FORMAT, 1, 1, b'a', tag];
            put_whole(&mut bytes, u64::MAX);
            assert_eq!(decode(&bytes), None);
        }
        assert_eq!(decode(&[&[FORMAT][..], &[0xFF; 11]].concat()), None);
    }
}
