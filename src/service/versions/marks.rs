//! What is said of a function's versions: one item for all of them, so that a label is on one version by its form.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::model::error::Result;
use crate::model::id::FunctionId;
use crate::model::version::Label;
use crate::port::keys;
use crate::port::store::{Condition, Write};
use crate::service::table::{Table, to_item};

/// Numbers are those of versions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Marks {
    #[serde(default)]
    labels: BTreeMap<Label, u32>,
    #[serde(default)]
    pinned: BTreeSet<u32>,
    #[serde(default)]
    revision: f64,
}

impl Marks {
    pub async fn of(table: &Table, function: &FunctionId) -> Result<Self> {
        Ok(table
            .get(&keys::version_marks(function))
            .await?
            .unwrap_or_default())
    }

    pub fn labels(&self, version: u32) -> Vec<Label> {
        let of_version = self.labels.iter().filter(|(_, number)| **number == version);
        of_version.map(|(label, _)| label.clone()).collect()
    }

    pub fn is_pinned(&self, version: u32) -> bool {
        self.pinned.contains(&version)
    }

    /// Whether retention leaves the version where it is.
    pub fn keep(&self, version: u32) -> bool {
        self.is_pinned(version) || self.labels.values().any(|number| *number == version)
    }

    /// Gives a version these labels and no others; one that another version had moves.
    pub fn set_labels(&mut self, version: u32, labels: impl IntoIterator<Item = Label>) {
        self.labels.retain(|_, number| *number != version);
        self.labels
            .extend(labels.into_iter().map(|label| (label, version)));
    }

    pub fn set_pinned(&mut self, version: u32, pinned: bool) {
        if pinned {
            self.pinned.insert(version);
        } else {
            self.pinned.remove(&version);
        }
    }

    /// Holds while nobody changed the marks since they were read.
    fn unchanged(&self) -> Condition {
        if self.revision == 0.0 {
            Condition::Absent
        } else {
            Condition::Equals("revision".to_owned(), self.revision.into())
        }
    }

    /// Fails a transaction that a change of the marks came before.
    pub fn check(&self, function: &FunctionId) -> Write {
        Write::Check {
            key: keys::version_marks(function),
            condition: self.unchanged(),
        }
    }

    /// Replaces what `self` was read from.
    pub fn replaced_by(&self, function: &FunctionId, mut next: Self) -> Result<Write> {
        next.revision = self.revision + 1.0;
        Ok(Write::Put {
            key: keys::version_marks(function),
            item: to_item(&next)?,
            condition: Some(self.unchanged()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(texts: &[&str]) -> Vec<Label> {
        let labels = texts.iter().map(|text| Label::parse(text).expect("valid"));
        labels.collect()
    }

    #[test]
    fn a_label_moves_and_what_is_marked_is_kept() {
        let mut marks = Marks::default();
        marks.set_labels(1, labels(&["stable", "old"]));
        marks.set_labels(2, labels(&["stable"]));
        assert_eq!(marks.labels(1), labels(&["old"]));
        assert_eq!(marks.labels(2), labels(&["stable"]));
        marks.set_labels(1, []);
        marks.set_pinned(3, true);
        assert_eq!(
            [1, 2, 3].map(|number| marks.keep(number)),
            [false, true, true]
        );
        marks.set_pinned(3, false);
        assert!(!marks.keep(3));
    }

    #[test]
    fn marks_are_stored_as_they_are() {
        let mut marks = Marks::default();
        marks.set_labels(1, labels(&["stable"]));
        marks.set_pinned(2, true);
        let stored = serde_json::to_value(&marks).expect("an item");
        let read: Marks = serde_json::from_value(stored).expect("readable");
        assert_eq!(read.labels(1), labels(&["stable"]));
        assert!(read.is_pinned(2) && !read.is_pinned(1));
    }
}
