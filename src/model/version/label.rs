//! Names of versions within their function.

use crate::model::error::{Error, Result};
use crate::model::id::text_type;

/// Labels of one version at most.
pub const MAX_LABELS: usize = 10;

fn parse_label(text: &str) -> Result<String> {
    let inner =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    // A number would read as a version's own.
    let fits = text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(inner)
        && !text.ends_with(['.', '-', '_']);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Error::validation(
            "labels",
            "A label begins with a lower-case letter and holds at most 32 lower-case letters, digits and inner dots, hyphens and underscores.",
        ))
    }
}

text_type!(
    /// A short name that one version of a function has, such as `stable`.
    #[schema(pattern = "^[a-z]([a-z0-9._-]{0,30}[a-z0-9])?$", example = "stable")]
    Label,
    parse_label
);

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn a_label_is_a_short_plain_name() {
        for text in ["stable", "v1.2", "before-the_move", "a"] {
            assert!(Label::parse(text).is_ok(), "{text}");
        }
        for text in ["", "7", "Stable", "a b", "a-", "결제", &"a".repeat(33)] {
            assert!(Label::parse(text).is_err(), "{text}");
        }
    }
}
