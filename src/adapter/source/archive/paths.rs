//! Paths within an archive: which are allowed, and which are part of a source.

use bytes::Bytes;
use std::collections::BTreeMap;

use super::refused;
use crate::port::builder::BuildError;

/// Bytes of a path within an archive at most.
const MAX_PATH: usize = 512;
/// Files and folders that are no part of a source.
const IGNORED: &[&str] = &[
    "__MACOSX",
    "__pycache__",
    ".git",
    ".venv",
    ".spin",
    ".mypy_cache",
    ".DS_Store",
    "node_modules",
];

/// A relative path of plain UTF-8 names; `None` for anything else.
pub(super) fn plain_path(raw: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(raw).ok()?;
    let path = path.strip_prefix("./").unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && part.len() <= 255;
    let allowed = |c: char| !c.is_control() && c != '\\' && c != ':';
    (path.len() <= MAX_PATH && path.split('/').all(plain) && path.chars().all(allowed))
        .then(|| path.to_owned())
}

pub(super) fn is_ignored(path: &str) -> bool {
    let extension = std::path::Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    path.split('/').any(|part| IGNORED.contains(&part)) || matches!(extension, "pyc" | "wasm")
}

/// Many tools pack the folder itself: `shop/app.py` becomes `app.py`.
pub(super) fn strip_wrapping_folder(files: BTreeMap<String, Bytes>) -> BTreeMap<String, Bytes> {
    let top = files
        .keys()
        .next()
        .and_then(|path| path.split_once('/'))
        .map(|(top, _)| format!("{top}/"));
    match top {
        Some(top)
            if files.keys().all(|path| path.starts_with(&top))
                && !files.contains_key(&format!("{top}__init__.py")) =>
        {
            files
                .into_iter()
                .map(|(path, content)| (path[top.len()..].to_owned(), content))
                .collect()
        }
        _ => files,
    }
}

/// No file is also the folder of another one.
pub(super) fn check_folders(files: &BTreeMap<String, Bytes>) -> Result<(), BuildError> {
    let lies_in_file = |path: &&String| {
        path.match_indices('/')
            .any(|(end, _)| files.contains_key(&path[..end]))
    };
    match files.keys().find(lies_in_file) {
        Some(path) => Err(refused(format!(
            "uses a file as the folder of {path}; pack it again"
        ))),
        None => Ok(()),
    }
}
