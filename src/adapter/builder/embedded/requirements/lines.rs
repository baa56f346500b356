//! The lines of a `requirements.txt`: names and versions, nothing else.

use super::FILE;
use crate::model::source::{Diagnostic, Severity};
use crate::port::builder::BuildError;

const MAX_LINES: usize = 200;
const MAX_LINE: usize = 200;

/// Lines that name a package, comments dropped.
pub(in super::super) fn read(content: &[u8]) -> Result<Vec<String>, BuildError> {
    let text = std::str::from_utf8(content)
        .map_err(|_| refused(0, "is not UTF-8 text; save it as UTF-8"))?;
    let mut requirements = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line
            .split_once(" #")
            .map_or(line, |(before, _)| before)
            .trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(reason) = objection(line) {
            return Err(refused(
                index + 1,
                &format!(
                    "has a line that is not accepted ({}): {reason}",
                    line.chars().take(80).collect::<String>()
                ),
            ));
        }
        if !is_brought(line) {
            requirements.push(line.to_owned());
        }
    }
    if requirements.len() > MAX_LINES {
        return Err(refused(
            0,
            &format!("names more than {MAX_LINES} packages; a function needs few"),
        ));
    }
    Ok(requirements)
}

/// What a Spin app lists for its own build: the builder brings its own, of the versions it works with.
fn is_brought(line: &str) -> bool {
    let end = line
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
        .unwrap_or(line.len());
    let name = line[..end].to_ascii_lowercase().replace(['_', '.'], "-");
    matches!(name.as_str(), "componentize-py" | "spin-sdk" | "mypy")
}

fn objection(line: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-+*!=<>~,[];()'\"".contains(c);
    if line.starts_with('-') {
        Some("options are not read; write the name and version of a package")
    } else if line.starts_with('.') || line.contains(['/', '\\', '@', ':']) {
        Some("links and local files are not installed; write the name and version of a package")
    } else if line.contains(" --") {
        Some("options are not read; write the name and version only")
    } else if line.len() > MAX_LINE
        || !line.chars().all(allowed)
        || !line.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        Some("write the name and version of a package, as in idna==3.10")
    } else {
        None
    }
}

fn refused(line: usize, what: &str) -> BuildError {
    let message = format!("{FILE} {what}.");
    let found = Diagnostic {
        severity: Severity::Error,
        file: FILE.to_owned(),
        line: u32::try_from(line).unwrap_or(0),
        column: 0,
        message: message.clone(),
        hint: None,
        excerpt: None,
    };
    BuildError::Source {
        message,
        diagnostics: vec![found],
    }
}
