//! SHA-256 in hexadecimal, as the port promises and asks for it.

use sha2::{Digest, Sha256};
use std::fmt::Write;

use crate::port::blobs::BlobError;

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Whether this is the hash that was promised, if one was.
pub(super) fn is_hash(expected: Option<&str>, hash: &str) -> bool {
    expected.is_none_or(|expected| expected.eq_ignore_ascii_case(hash))
}

/// Whether the content has the hash that was promised, if one was.
pub(super) fn check(key: &str, content: &[u8], sha256: Option<&str>) -> Result<(), BlobError> {
    if sha256.is_none() || is_hash(sha256, &hexadecimal(&Sha256::digest(content))) {
        Ok(())
    } else {
        Err(BlobError::Damaged(key.to_owned()))
    }
}
