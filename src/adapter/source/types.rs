//! What a type check says, as errors at places of the source.

use super::python::excerpt;
use crate::model::source::{Diagnostic, Severity};
use crate::port::builder::{BuildError, SourceTree};

/// Errors that a message lists; all of them are diagnostics.
const MAX_LISTED: usize = 20;

pub(crate) fn failed(found: Vec<Diagnostic>) -> BuildError {
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
pub(crate) enum Kind {
    Error,
    Note,
}

/// `app.py:5:18: error: Incompatible types  [assignment]`; the column may be missing.
pub(crate) fn parse(line: &str) -> Option<(Kind, Diagnostic)> {
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

pub(crate) fn with_excerpt(found: Diagnostic, tree: &SourceTree) -> Diagnostic {
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
