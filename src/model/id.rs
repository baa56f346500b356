//! Identifiers: `[A-Za-z0-9][A-Za-z0-9._-]{0,62}`, safe in paths, keys, labels and queries once parsed.

use super::error::{Error, Result};

pub(super) fn parse_identifier(field: &str, text: &str) -> Result<String> {
    let mut chars = text.chars();
    let starts_well = chars
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric());
    let goes_on_well = chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if starts_well && goes_on_well && text.len() <= 63 {
        Ok(text.to_owned())
    } else {
        Err(Error::validation(
            field,
            "An id starts with a letter or digit and holds at most 63 letters, digits, dots, underscores and hyphens.",
        ))
    }
}

/// Declares a text type whose only way in is its `parse`, also when it is deserialized. `#[schema(…)]` tells clients the rule.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        $(#[$doc])*
        pub struct $name(String);

        impl $name {
            pub fn parse(text: impl AsRef<str>) -> $crate::model::error::Result<Self> {
                let parse: fn(&str) -> $crate::model::error::Result<String> = $parse;
                parse(text.as_ref()).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::model::error::Error;
            fn try_from(text: String) -> $crate::model::error::Result<Self> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::error::Error;
            fn from_str(text: &str) -> $crate::model::error::Result<Self> {
                Self::parse(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use text_type;

text_type!(
    /// `ws-` and 8 characters when new.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", example = "ws-4mZk0QxT")]
    WorkspaceId,
    |text| parse_identifier("workspace_id", text)
);
text_type!(
    /// `fn-` and 8 characters when new.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", example = "fn-9aBc3dEf")]
    FunctionId,
    |text| parse_identifier("function_id", text)
);
text_type!(
    /// UUID v7 when new.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", example = "0199a0b4-7b7e-7cc0-8000-0123456789ab")]
    TaskId,
    |text| parse_identifier("task_id", text)
);
text_type!(
    /// UUID v7 when new.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", example = "0199a0b4-7b7e-7cc0-8000-0123456789ac")]
    DeploymentId,
    |text| parse_identifier("deployment_id", text)
);
text_type!(
    /// UUID v7 when new.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", example = "0199a0b4-7b7e-7cc0-8000-0123456789ad")]
    ExecutionId,
    |text| parse_identifier("execution_id", text)
);

#[cfg(test)]
mod tests {
    use super::FunctionId;

    #[test]
    fn ids_in_use_are_accepted() {
        for id in ["my-workspace", "fn-test-001", "ws-default", "a", "A.b_c-9"] {
            assert!(FunctionId::parse(id).is_ok(), "{id}");
        }
    }

    #[test]
    fn what_could_leave_its_place_is_refused() {
        for id in [
            "",
            ".",
            "..",
            "-a",
            "a/b",
            "a b",
            "a#b",
            "ä",
            "a\"}",
            &"a".repeat(64),
        ] {
            assert!(FunctionId::parse(id).is_err(), "{id}");
        }
    }
}
