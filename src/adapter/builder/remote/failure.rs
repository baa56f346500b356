//! Failures of jobs in the words of the Builder Service, with what helps and with places in the source.

use super::watch::Doubt;
use crate::adapter::builder_service::{ServiceError, explain};
use crate::adapter::source::types::{Kind, parse, with_excerpt};
use crate::model::source::Diagnostic;
use crate::model::task::StageName;
use crate::port::builder::{BuildError, SourceTree};

/// Before the first error of a type check.
const TYPES: &str = "MyPy validation failed:";
/// Errors of a type check that become places.
const MAX_PLACES: usize = 100;

/// A job that the service says has failed.
pub(super) fn failed(text: &str, stage: StageName, tree: Option<&SourceTree>) -> BuildError {
    let diagnostics = tree.map(|tree| places(text, tree)).unwrap_or_default();
    let message = explain(text);
    if stage == StageName::Push && diagnostics.is_empty() {
        BuildError::Registry(message)
    } else {
        BuildError::Source {
            message,
            diagnostics,
        }
    }
}

/// A request to begin a job that was not taken up.
pub(super) fn not_begun(error: &ServiceError) -> BuildError {
    match error {
        ServiceError::Refused { status, detail } => BuildError::Source {
            message: explain(&format!(
                "The Builder Service refused this ({status}): {detail}"
            )),
            diagnostics: Vec::new(),
        },
        ServiceError::Unavailable(text) => BuildError::Unavailable(explain(&format!(
            "The Builder Service cannot be used: {text}. Try again later; nothing was built."
        ))),
        ServiceError::Unclear(text) => BuildError::Unavailable(explain(&format!(
            "The Builder Service gave no answer that can be read: {text}. Try again later."
        ))),
    }
}

/// A job about which nothing can be learned any more.
pub(super) fn lost(id: &str, doubt: &Doubt) -> BuildError {
    BuildError::Unavailable(explain(&format!(
        "The Builder Service was asked about its job {id} several times, and {doubt}. Run the task again."
    )))
}

pub(super) fn too_long(seconds: u64, stage: StageName, doubt: Option<&Doubt>) -> BuildError {
    let last = match (doubt, stage) {
        (Some(doubt), _) => format!("At last {doubt}."),
        (None, StageName::Push) => {
            // Worded so that the hint for it follows.
            "At last it was pushing: the push timed out.".to_owned()
        }
        (None, _) => "At last it was still at work.".to_owned(),
    };
    BuildError::LimitReached(explain(&format!(
        "The Builder Service did not finish within {seconds} s. {last} Run the task again."
    )))
}

/// `MyPy validation failed: app.py:10: error: …`, one a line.
fn places(text: &str, tree: &SourceTree) -> Vec<Diagnostic> {
    let Some((_, listed)) = text.split_once(TYPES) else {
        return Vec::new();
    };
    let errors = listed.lines().filter_map(|line| match parse(line.trim()) {
        Some((Kind::Error, mut found)) => {
            found.file = file_of(&found.file, tree)?;
            Some(with_excerpt(found, tree))
        }
        Some((Kind::Note, _)) | None => None,
    });
    errors.take(MAX_PLACES).collect()
}

/// The file as the source names it: the service names it as it lies there.
fn file_of(path: &str, tree: &SourceTree) -> Option<String> {
    let fits = |file: &&String| {
        path == file.as_str()
            || path
                .strip_suffix(file.as_str())
                .is_some_and(|folder| folder.ends_with('/'))
    };
    tree.files
        .keys()
        .filter(fits)
        .max_by_key(|file| file.len())
        .cloned()
}
