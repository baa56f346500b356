//! The environment variables of a function.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::model::error::{Error, Result};

/// Largest environment of a function: names and values together, in bytes.
pub const MAX_ENVIRONMENT: usize = 64 * 1024;

/// Environment variables: names as in a shell, 64 KiB in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<String, String>",
    into = "BTreeMap<String, String>"
)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    pub fn parse(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let mut map = BTreeMap::new();
        let mut size = 0;
        for (name, value) in variables {
            let valid = name
                .chars()
                .next()
                .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && name.len() <= 128;
            if !valid {
                return Err(Error::validation(
                    "environmentVariables",
                    format!(
                        "\"{}\" is not a variable name. Use letters, digits and underscores, not starting with a digit.",
                        name.chars().take(64).collect::<String>()
                    ),
                ));
            }
            if value.contains('\0') {
                return Err(Error::validation(
                    "environmentVariables",
                    format!("Remove the NUL character from the value of {name}."),
                ));
            }
            size += name.len() + value.len();
            if map.insert(name.clone(), value).is_some() {
                return Err(Error::validation(
                    "environmentVariables",
                    format!("{name} is given twice. Keep one of the two."),
                ));
            }
        }
        if size > MAX_ENVIRONMENT {
            return Err(Error::validation(
                "environmentVariables",
                format!(
                    "The environment is {size} bytes; at most {MAX_ENVIRONMENT} are kept. Move large values into a service of your own."
                ),
            ));
        }
        Ok(Self(map))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// As Spin variables: lower case, by those names that Spin accepts.
    pub fn spin_variables(&self) -> BTreeMap<String, &str> {
        let mut named = BTreeMap::new();
        for (name, value) in self.iter() {
            if let Some(name) = spin_variable_name(name) {
                // `API` and `api` are two in the environment and one here, as in a call.
                named.entry(name).or_insert(value);
            }
        }
        named
    }

    /// The names, each with the same stand-in for its value.
    #[must_use]
    pub fn masked(self) -> Self {
        let masked = self.0.into_keys().map(|name| (name, "***".to_owned()));
        Self(masked.collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The name of an environment variable as a Spin variable's: words of letters and digits that begin with a letter, an underscore between.
fn spin_variable_name(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let begins = |word: &str| word.starts_with(|c: char| c.is_ascii_alphabetic());
    name.split('_').all(begins).then_some(name)
}

// By hand: what holds for the names cannot be derived.
impl PartialSchema for Environment {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
        let name = text().pattern(Some("^[A-Za-z_][A-Za-z0-9_]{0,127}$"));
        let value = text().pattern(Some(r"^[^\x00]*$"));
        ObjectBuilder::new()
            .description(Some("Environment variables, 64 KiB in all."))
            .property_names(Some(name))
            .additional_properties(Some(AdditionalProperties::from(value)))
            .into()
    }
}

impl ToSchema for Environment {}

impl TryFrom<BTreeMap<String, String>> for Environment {
    type Error = Error;
    fn try_from(map: BTreeMap<String, String>) -> Result<Self> {
        Self::parse(map)
    }
}

impl From<Environment> for BTreeMap<String, String> {
    fn from(environment: Environment) -> Self {
        environment.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_given_twice_or_misnamed_is_refused() {
        let pair = |name: &str| (name.to_owned(), "x".to_owned());
        assert!(Environment::parse([pair("A"), pair("A")]).is_err());
        assert!(Environment::parse([pair("1A")]).is_err());
        assert!(Environment::parse([pair("A B")]).is_err());
        assert!(Environment::parse([pair("API_KEY"), pair("_x")]).is_ok());
    }

    #[test]
    fn only_what_spin_accepts_becomes_a_variable() {
        assert_eq!(spin_variable_name("API_KEY").as_deref(), Some("api_key"));
        assert_eq!(spin_variable_name("LEVEL3").as_deref(), Some("level3"));
        for other in ["_X", "A__B", "A_", "A_2"] {
            assert_eq!(spin_variable_name(other), None, "{other}");
        }
    }
}
