//! Keys as the port defines them, for every adapter alike.

use crate::port::blobs::BlobError;

/// Bytes of a key at most (S3's limit).
const MAX_KEY: usize = 1024;
/// Bytes of a segment at most (a file's name).
const MAX_SEGMENT: usize = 255;

/// The folders of a key and its last segment.
pub(super) fn split(key: &str) -> Result<(Vec<&str>, &str), BlobError> {
    let mut segments: Vec<&str> = key.split('/').collect();
    if key.len() > MAX_KEY || !segments.iter().all(|segment| is_segment(segment)) {
        return Err(invalid(key));
    }
    match segments.pop() {
        Some(name) => Ok((segments, name)),
        None => Err(invalid(key)),
    }
}

/// The folders of a prefix, and what the next segment starts with: `code/ws-1/fn` is below `code/ws-1`, where names start with `fn`.
pub(super) fn split_prefix(prefix: &str) -> Result<(Vec<&str>, &str), BlobError> {
    let mut segments: Vec<&str> = prefix.split('/').collect();
    let rest = segments.pop().unwrap_or_default();
    if prefix.len() > MAX_KEY
        || !segments.iter().all(|segment| is_segment(segment))
        || !rest.bytes().all(is_allowed)
    {
        return Err(invalid(prefix));
    }
    Ok((segments, rest))
}

/// The folders of a prefix that ends with one: `code/ws-1/fn-1/`, which `fn-10` is not below.
pub(super) fn split_folder(prefix: &str) -> Result<Vec<&str>, BlobError> {
    match split_prefix(prefix)? {
        (folders, "") if !folders.is_empty() => Ok(folders),
        _ => Err(invalid(prefix)),
    }
}

fn is_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment.len() <= MAX_SEGMENT
        && segment.bytes().all(is_allowed)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._=@-".contains(&byte)
}

/// Keys can come from a request: what is shown of one is short and printable.
fn invalid(key: &str) -> BlobError {
    BlobError::InvalidKey(format!("{:?}", key.chars().take(80).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_folders_and_a_name() {
        assert_eq!(
            split("code/ws-1/fn.1/ab=@_12.py").unwrap(),
            (vec!["code", "ws-1", "fn.1"], "ab=@_12.py")
        );
        assert_eq!(split("one").unwrap(), (vec![], "one"));
        assert!(split(&"a".repeat(255)).is_ok());
    }

    #[test]
    fn a_key_that_is_long_is_refused_and_not_echoed_whole() {
        let error = split(&"a/".repeat(600)).unwrap_err().to_string();
        assert!(error.len() < 120, "{error}");
        assert!(split(&"a".repeat(256)).is_err());
    }

    #[test]
    fn a_prefix_may_end_anywhere() {
        assert_eq!(split_prefix("").unwrap(), (vec![], ""));
        assert_eq!(
            split_prefix("code/ws-1/").unwrap(),
            (vec!["code", "ws-1"], "")
        );
        assert_eq!(split_prefix("code/w").unwrap(), (vec!["code"], "w"));
        assert!(split_prefix("code/../").is_err());
        assert!(split_prefix("/code").is_err());
    }

    #[test]
    fn a_folder_ends_with_a_slash() {
        assert_eq!(split_folder("code/ws-1/").unwrap(), vec!["code", "ws-1"]);
        for prefix in ["", "/", "code", "code/ws-1", "../"] {
            assert!(split_folder(prefix).is_err(), "{prefix}");
        }
    }
}
