//! What builders share of sources: reading what was uploaded, and the checks that need no toolchain. Nothing of a source is run.

pub(crate) mod archive;
pub(crate) mod diagnose;
mod environment;
mod handler;
pub(crate) mod imports;
mod manifest;
pub(crate) mod python;
pub(crate) mod recipe;
pub(crate) mod requirements;
pub(crate) mod shim;
pub(crate) mod tree;
pub(crate) mod types;

use bytes::Bytes;
use std::collections::BTreeMap;

use self::archive::Limits;
use self::diagnose::{Findings, check_tree, is_python};
use self::imports::Surroundings;
use crate::model::source::{Diagnostic, Severity, SourceSummary};
use crate::model::task::StageName;
use crate::port::builder::{BuildError, Progress, RawSource, Recipe, SourceTree};

pub(crate) async fn read(
    raw: RawSource,
    limits: Limits,
) -> Result<(SourceTree, SourceSummary), BuildError> {
    blocking(move || tree::read(raw, limits)).await?
}

pub(crate) async fn unpack(
    archive: Bytes,
    limits: Limits,
) -> Result<BTreeMap<String, Bytes>, BuildError> {
    blocking(move || archive::read(&archive, limits)).await?
}

pub(crate) async fn recipe(source: &SourceTree) -> Result<Recipe, BuildError> {
    let source = source.clone();
    blocking(move || recipe::of(&source)).await
}

/// The checks of all modules, as lines of the stage `validate`. Errors end the build; warnings do not.
pub(crate) async fn check(
    tree: &SourceTree,
    surroundings: &Surroundings,
    progress: &dyn Progress,
) -> Result<Findings, BuildError> {
    let (owned, surroundings) = (tree.clone(), surroundings.clone());
    let findings = blocking(move || check_tree(&owned, &surroundings)).await?;
    for found in &findings.diagnostics {
        let kind = if found.severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        progress.line(StageName::Validate, &format!("{kind}: {found}"));
        if let Some(hint) = &found.hint {
            progress.line(StageName::Validate, &format!("  {hint}"));
        }
    }
    refuse_errors(&findings)?;
    let modules = tree.files.keys().filter(|path| is_python(path)).count();
    progress.line(
        StageName::Validate,
        &format!(
            "Syntax, handler and imports are sound in {modules} module{}",
            if modules == 1 { "" } else { "s" }
        ),
    );
    Ok(findings)
}

/// Every module is parsed and an archive inflated: not on a thread that serves requests.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BuildError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| BuildError::Failed(error.to_string()))
}

/// The first error with its hint.
pub(crate) fn refuse_errors(findings: &Findings) -> Result<(), BuildError> {
    let errors: Vec<Diagnostic> = findings.errors().cloned().collect();
    match errors.first() {
        None => Ok(()),
        Some(first) => {
            let hint = first
                .hint
                .as_deref()
                .map(|hint| format!(" {hint}"))
                .unwrap_or_default();
            let stop = if first.message.ends_with('.') || hint.is_empty() {
                ""
            } else {
                "."
            };
            Err(BuildError::Source {
                message: format!("{first}{stop}{hint}"),
                diagnostics: errors,
            })
        }
    }
}
