//! Addresses of the console.

use std::fmt::Write as _;

/// `path` with a query of the fields that have a value. Encoded here, so that server and browser write it alike.
pub fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    let mut href = path.to_owned();
    let mut separator = '?';
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        href.push(separator);
        separator = '&';
        href.push_str(name);
        href.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                href.push(char::from(byte));
            } else {
                _ = write!(href, "%{byte:02X}");
            }
        }
    }
    href
}

#[cfg(test)]
mod tests {
    use super::with_query;

    #[test]
    fn a_query_holds_what_has_a_value_and_is_encoded() {
        assert_eq!(
            with_query("/x", &[("q", "a b&c=결"), ("sort", ""), ("page", "2")]),
            "/x?q=a%20b%26c%3D%EA%B2%B0&page=2"
        );
        assert_eq!(with_query("/x", &[("q", "")]), "/x");
    }
}
