//! The files of two sources against each other.

use bytes::Bytes;
use std::collections::BTreeMap;

use super::text_within;
use crate::model::diff::{Hunk, diff_hunks};
use crate::model::error::Result;
use crate::model::version::{Change, FileChange};
use crate::service::table::internal;

/// Bytes that are compared by lines; changed files beyond are named without their lines.
const MAX_COMPARED: usize = 2 * 1024 * 1024;
/// Files that are compared by lines.
const MAX_FILES: usize = 200;

/// The files that differ, by their paths.
pub async fn files(
    old: BTreeMap<String, Bytes>,
    new: BTreeMap<String, Bytes>,
) -> Result<Vec<FileChange>> {
    // Large modules take milliseconds each, during which other requests go on.
    tokio::task::spawn_blocking(move || changes(&old, &new))
        .await
        .map_err(|cause| internal("COMPARE_ERROR", cause))
}

fn changes(old: &BTreeMap<String, Bytes>, new: &BTreeMap<String, Bytes>) -> Vec<FileChange> {
    let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    let mut left = MAX_COMPARED;
    let mut changes = Vec::new();
    for path in paths {
        let (before, after) = (old.get(path), new.get(path));
        let change = match (before, after) {
            (Some(before), Some(after)) if before == after => continue,
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Removed,
            (None, _) => Change::Added,
        };
        let hunks = if changes.len() < MAX_FILES {
            hunks(&mut left, before, after)
        } else {
            None
        };
        changes.push(FileChange {
            path: path.clone(),
            change,
            hunks,
        });
    }
    changes
}

fn hunks(left: &mut usize, before: Option<&Bytes>, after: Option<&Bytes>) -> Option<Vec<Hunk>> {
    let mut text = |content: Option<&Bytes>| text_within(left, content.map_or(&[], Bytes::as_ref));
    let (before, after) = (text(before)?, text(after)?);
    Some(diff_hunks(&before, &after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diff::Side;

    fn tree(files: &[(&str, &'static [u8])]) -> BTreeMap<String, Bytes> {
        let files = files
            .iter()
            .map(|(path, content)| ((*path).to_owned(), Bytes::from_static(content)));
        files.collect()
    }

    #[test]
    fn files_are_added_removed_and_changed() {
        let old = tree(&[("app.py", b"a\nb"), ("gone.py", b"x"), ("same.py", b"s")]);
        let new = tree(&[("app.py", b"a\nc"), ("new.bin", b"\xff"), ("same.py", b"s")]);
        let changes = changes(&old, &new);
        let told: Vec<_> = changes
            .iter()
            .map(|file| (file.path.as_str(), file.change, file.hunks.is_some()))
            .collect();
        assert_eq!(
            told,
            [
                ("app.py", Change::Changed, true),
                ("gone.py", Change::Removed, true),
                ("new.bin", Change::Added, false),
            ]
        );
        let lines = &changes[0].hunks.as_ref().expect("compared")[0].lines;
        let sides: Vec<_> = lines.iter().map(|line| line.side).collect();
        assert_eq!(sides, [Side::Both, Side::Old, Side::New]);
    }

    #[test]
    fn what_is_too_much_is_only_named() {
        let (a, b) = (vec![b'a'; MAX_COMPARED], vec![b'b'; MAX_COMPARED]);
        let old = BTreeMap::from([("app.py".to_owned(), Bytes::from(a))]);
        let new = BTreeMap::from([("app.py".to_owned(), Bytes::from(b))]);
        let changes = changes(&old, &new);
        assert_eq!(changes.len(), 1);
        assert!(changes[0].hunks.is_none());
    }
}
