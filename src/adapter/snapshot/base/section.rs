//! The outermost form of WebAssembly, modules and components alike: a header and sections, each an id, a length and bytes.

use super::refusal::{Refused, Result, refuse};
use wasmparser::BinaryReader;

pub(super) const MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";
pub(super) const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'a> {
    pub id: u8,
    pub data: &'a [u8],
}

impl<'a> Section<'a> {
    pub fn reader(&self) -> BinaryReader<'a> {
        BinaryReader::new(self.data, 0)
    }

    /// The content of a custom section of this name.
    pub fn custom(&self, name: &str) -> Option<&'a [u8]> {
        if self.id != 0 {
            return None;
        }
        let mut reader = self.reader();
        (reader.read_string().ok()? == name)
            .then(|| self.data.get(reader.original_position()..))
            .flatten()
    }
}

pub(super) fn sections(bytes: &[u8], header: [u8; 8]) -> Result<Vec<Section<'_>>> {
    let mut rest = bytes
        .strip_prefix(&header)
        .ok_or_else(|| Refused::new("it does not begin as WebAssembly of the wanted kind"))?;
    let mut found = Vec::new();
    while let Some((id, after)) = rest.split_first() {
        let (length, after) = length(after)?;
        let Some((data, after)) = after.split_at_checked(length) else {
            return refuse("a section ends after the file does");
        };
        found.push(Section { id: *id, data });
        rest = after;
    }
    Ok(found)
}

/// An unsigned LEB128 number of 32 bits, and what follows it.
fn length(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let rest = bytes.get(index + 1..).unwrap_or_default();
            return match u32::try_from(value) {
                Ok(value) => Ok((value as usize, rest)),
                Err(_) => refuse("a section is longer than any can be"),
            };
        }
    }
    refuse("the length of a section is not a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_and_none_reaches_beyond_the_end() {
        let mut bytes = MODULE.to_vec();
        bytes.extend([0, 3, 1, b'a', 9, 7, 0x80, 0x00]);
        let found = sections(&bytes, MODULE).expect("two sections");
        assert_eq!((found[0].id, found[0].data), (0, &[1, b'a', 9][..]));
        assert_eq!((found[1].id, found[1].data), (7, &[][..]));
        assert_eq!(found[0].custom("a"), Some(&[9][..]));
        assert_eq!(found[0].custom("b"), None);
        for end in [9, 10, 12, 14] {
            assert!(sections(&bytes[..end], MODULE).is_err(), "{end}");
        }
        assert!(sections(&bytes, COMPONENT).is_err());
        bytes.extend([1, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        assert!(sections(&bytes, MODULE).is_err());
    }
}
