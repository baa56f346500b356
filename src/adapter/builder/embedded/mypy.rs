//! The type check.

use std::ffi::OsString;
use std::path::Path;
use tokio_util::sync::CancellationToken;

use super::child::{self, Limits, Program};
use super::workdir::Room;
use crate::adapter::source::types::{Kind, failed, parse, with_excerpt};
use crate::model::source::Diagnostic;
use crate::model::task::StageName;
use crate::port::builder::{BuildError, Progress, SourceTree};

/// Checks the entry and what it imports. Everything it may write to is `cache`, which builds share.
pub(super) async fn check(
    venv: &Path,
    cache: &Path,
    tree: &SourceTree,
    room: &Room,
    limits: Limits,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<(), BuildError> {
    let python = venv.join("bin").join("python");
    // No configuration file: it could name a plugin, which is code that would run here. What cannot be imported is for the other checks to say.
    let fixed = "-I -m mypy --config-file= --ignore-missing-imports --disable-error-code=import-untyped --disable-error-code=import-not-found --show-column-numbers \
         --no-error-summary --no-color-output --no-pretty --explicit-package-bases --python-version 3.12";
    let mut args: Vec<OsString> = fixed.split_whitespace().map(OsString::from).collect();
    // The whole path, which no other build has: mypy takes a file of the same path, size and second for unchanged.
    args.extend([
        "--cache-dir".into(),
        cache.into(),
        "--python-executable".into(),
        python.clone().into(),
        room.check().join(&tree.entry).into(),
    ]);
    let env = vec![
        ("HOME", room.path().into()),
        ("TMPDIR", room.tmp().into()),
        ("MYPYPATH", room.check().into()),
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ("PYTHONUTF8", "1".into()),
    ];
    let dir = room.check();
    let program = Program {
        path: &python,
        args,
        env,
        dir: &dir,
    };
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut on_line = |line: &str| match parse(line) {
        Some((Kind::Error, diagnostic)) if tree.files.contains_key(&diagnostic.file) => {
            progress.line(StageName::Validate, line);
            found.push(with_excerpt(diagnostic, tree));
        }
        Some((Kind::Note, note)) => {
            if let Some(last) = found.last_mut().filter(|last| {
                last.file == note.file && last.line == note.line && last.hint.is_none()
            }) {
                last.hint = Some(note.message);
            }
        }
        _ => {}
    };
    let finished = child::run(program, &limits, cancel, &mut on_line).await?;
    if !found.is_empty() {
        return Err(failed(found));
    }
    if finished.success || finished.code == Some(1) {
        return Ok(());
    }
    // A check that cannot run says nothing about the source.
    tracing::warn!(code = finished.code, output = %finished.output.chars().take(2000).collect::<String>(), "the type check could not run");
    progress.line(
        StageName::Validate,
        "The type check could not run on this source and was left out.",
    );
    Ok(())
}
