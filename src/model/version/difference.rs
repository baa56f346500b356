//! What differs between two versions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::Configuration;
use crate::model::diff::Hunk;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionDiff {
    /// Number of the version that is compared with.
    pub from: u32,
    pub to: u32,
    /// By their paths.
    pub files: Vec<FileChange>,
    /// Settings with one value each.
    pub configuration: Vec<FieldChange>,
    /// Names only: a value is never shown, just that it is another one.
    pub environment: NameChanges,
    pub allowed_outbound_hosts: NameChanges,
}

impl VersionDiff {
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
            && self.configuration.is_empty()
            && self.environment.is_empty()
            && self.allowed_outbound_hosts.is_empty()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    Added,
    Removed,
    Changed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileChange {
    pub path: String,
    pub change: Change,
    /// `None` for what is no text, or too much of it to be compared.
    pub hunks: Option<Vec<Hunk>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// As in `timeout`.
    pub field: String,
    pub old: Value,
    pub new: Value,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NameChanges {
    pub added: Vec<String>,
    pub removed: Vec<String>,
    pub changed: Vec<String>,
}

impl NameChanges {
    /// Between two maps from names to what is kept to oneself.
    fn between(old: &BTreeMap<String, &str>, new: &BTreeMap<String, &str>) -> Self {
        let missing = |from: &BTreeMap<String, &str>, other: &BTreeMap<String, &str>| {
            from.keys()
                .filter(|name| !other.contains_key(*name))
                .cloned()
                .collect()
        };
        let changed = old
            .iter()
            .filter(|(name, value)| new.get(*name).is_some_and(|other| other != *value));
        Self {
            added: missing(new, old),
            removed: missing(old, new),
            changed: changed.map(|(name, _)| name.clone()).collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Configuration {
    /// The settings of one value each that differ.
    pub fn changed_fields(&self, new: &Self) -> Vec<FieldChange> {
        let fields = [
            ("memory", json!(self.memory), json!(new.memory)),
            ("timeout", json!(self.timeout), json!(new.timeout)),
            (
                "http_methods",
                json!(self.http_methods),
                json!(new.http_methods),
            ),
            (
                "instance_reuse",
                json!(self.instance_reuse),
                json!(new.instance_reuse),
            ),
        ];
        fields
            .into_iter()
            .filter(|(_, old, new)| old != new)
            .map(|(field, old, new)| FieldChange {
                field: field.to_owned(),
                old,
                new,
            })
            .collect()
    }

    pub fn changed_environment(&self, new: &Self) -> NameChanges {
        NameChanges::between(&self.variables(), &new.variables())
    }

    pub fn changed_hosts(&self, new: &Self) -> NameChanges {
        NameChanges::between(&self.hosts(), &new.hosts())
    }

    fn variables(&self) -> BTreeMap<String, &str> {
        let variables = self.environment.iter();
        variables
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn hosts(&self) -> BTreeMap<String, &str> {
        let hosts = self.allowed_outbound_hosts.iter();
        hosts.map(|host| (host.to_string(), "")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::function::{Environment, OutboundHost, Timeout};

    fn configuration(variables: &[(&str, &str)], hosts: &[&str]) -> Configuration {
        let pairs = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Configuration {
            environment: Environment::parse(pairs).expect("valid"),
            allowed_outbound_hosts: hosts
                .iter()
                .map(|host| OutboundHost::parse(host).expect("valid"))
                .collect(),
            ..Configuration::default()
        }
    }

    #[test]
    fn what_differs_is_named_and_no_value_is_shown() {
        let old = configuration(&[("A", "s3cret-1"), ("B", "b")], &["https://a.com"]);
        let mut new = configuration(&[("A", "s3cret-2"), ("C", "c")], &["https://b.com"]);
        new.timeout = Timeout::parse(60).expect("valid");
        let environment = old.changed_environment(&new);
        assert_eq!(environment.changed, ["A"]);
        assert_eq!(environment.removed, ["B"]);
        assert_eq!(environment.added, ["C"]);
        let hosts = old.changed_hosts(&new);
        assert_eq!(hosts.removed, ["https://a.com"]);
        assert_eq!(hosts.added, ["https://b.com"]);
        let fields = old.changed_fields(&new);
        assert_eq!(fields.len(), 1);
        assert_eq!(fields[0].field, "timeout");
        assert_eq!((&fields[0].old, &fields[0].new), (&json!(30), &json!(60)));
        assert!(old.changed_fields(&old).is_empty() && old.changed_environment(&old).is_empty());
    }
}
