//! The type check.

use std::ffi::OsString;
use std::path::Path;
use tokio_util::sync::CancellationToken;

use super::child::{self, Limits, Program};
use super::python::excerpt;
use super::workdir::Room;
use crate::model::source::{Diagnostic, Severity};
use crate::model::task::StageName;
use crate::port::builder::{BuildError, Progress, SourceTree};

/// Errors that a message lists; all of them are diagnostics.
const MAX_LISTED: usize = 20;

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

fn failed(found: Vec<Diagnostic>) -> BuildError {
    let mut lines: Vec<String> = found
        .iter()
        .take(MAX_LISTED)
        .map(|error| format!("{}:{}: error: {}", error.file, error.line, error.message))
        .collect();
    if found.len() > MAX_LISTED {
        lines.push(format!("and {} more", found.len() - MAX_LISTED));
    }
    BuildError::Source {
        message: format!("MyPy validation failed: {}", lines.join("\n")),
        diagnostics: found,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Error,
    Note,
}

/// `app.py:5:18: error: Incompatible types  [assignment]`; the column may be missing.
fn parse(line: &str) -> Option<(Kind, Diagnostic)> {
    let (kind, place, text) = if let Some((place, text)) = line.split_once(": error: ") {
        (Kind::Error, place, text)
    } else {
        let (place, text) = line.split_once(": note: ")?;
        (Kind::Note, place, text)
    };
    let mut parts = place.split(':');
    let file = parts.next()?.to_owned();
    let line = parts
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    let column = parts
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    let message = text
        .rsplit_once("  [")
        .filter(|(_, code)| code.ends_with(']'))
        .map_or(text, |(message, _)| message)
        .trim();
    Some((
        kind,
        Diagnostic {
            severity: Severity::Error,
            file,
            line,
            column,
            message: message.to_owned(),
            hint: None,
            excerpt: None,
        },
    ))
}

fn with_excerpt(found: Diagnostic, tree: &SourceTree) -> Diagnostic {
    let line = tree.files.get(&found.file).and_then(|content| {
        let text = std::str::from_utf8(content).ok()?;
        text.lines()
            .nth((found.line as usize).checked_sub(1)?)
            .map(excerpt)
    });
    Diagnostic {
        excerpt: line,
        ..found
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, parse};

    #[test]
    fn places_and_texts_are_read() {
        for (line, kind, file, place, message) in [
            (
                "app.py:5:18: error: Incompatible types in assignment  [assignment]",
                Kind::Error,
                "app.py",
                (5, 18),
                "Incompatible types in assignment",
            ),
            (
                "pkg/a.py:3: error: Invalid syntax  [syntax]",
                Kind::Error,
                "pkg/a.py",
                (3, 0),
                "Invalid syntax",
            ),
            (
                "app.py:7: note: Did you mean [int]: error?",
                Kind::Note,
                "app.py",
                (7, 0),
                "Did you mean [int]: error?",
            ),
        ] {
            let (found, diagnostic) = parse(line).expect("a line of mypy");
            assert_eq!(
                (
                    found,
                    diagnostic.file.as_str(),
                    (diagnostic.line, diagnostic.column),
                    diagnostic.message.as_str()
                ),
                (kind, file, place, message)
            );
        }
        assert!(parse("Found 1 error in 1 file").is_none());
    }
}
