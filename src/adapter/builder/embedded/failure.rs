//! What componentize-py prints when it fails, as an error in the user's source where it is one.

use bytes::Bytes;
use std::collections::BTreeMap;

use crate::adapter::source::imports;
use crate::adapter::source::python::excerpt;
use crate::model::source::{Diagnostic, Severity};
use crate::port::builder::BuildError;

/// Where the guest sees the source and the installed packages.
const SOURCE_MOUNT: &str = "/0/";
const VENDOR_MOUNT: &str = "/1/";

/// Lines of the guest's own output and traceback, without those of the toolchain around it.
pub(super) fn guest_lines(output: &str) -> Vec<String> {
    printed(split(output).0)
}

/// What the guest alone printed, as lines of the build's output.
pub(super) fn printed(guest: &str) -> Vec<String> {
    guest
        .lines()
        .map(clean)
        .filter(|line| !line.trim().is_empty())
        .take(200)
        .collect()
}

pub(super) fn interpret(output: &str, files: &BTreeMap<String, Bytes>) -> BuildError {
    let (guest, cause) = split(output);
    let cause = clean(&cause);
    let is_exception =
        guest.contains("Traceback (most recent call last):") || looks_like_exception(&cause);
    if !is_exception {
        return if output.contains("wasm trap") || output.contains("wasm backtrace") {
            let message = "The top-level code crashed while the module was loaded.".to_owned();
            crashed(message, files)
        } else {
            tracing::error!(output = %output.chars().take(4000).collect::<String>(), "componentize failed");
            BuildError::Failed(if cause.is_empty() {
                "componentize-py ended without saying why".to_owned()
            } else {
                cause.chars().take(500).collect()
            })
        };
    }
    explain(guest, &cause, files)
}

/// A traceback as Python formats it.
pub(super) fn interpret_traceback(text: &str, files: &BTreeMap<String, Bytes>) -> BuildError {
    // The exception follows the last place, whose own lines are indented.
    let mut rest = text
        .lines()
        .rev()
        .take_while(|line| !line.starts_with("  File \""));
    let after: Vec<&str> = rest.by_ref().collect();
    let named = after
        .iter()
        .rev()
        .find(|line| !line.is_empty() && !line.starts_with(' ') && !line.starts_with("Traceback"));
    let cause = clean(named.copied().unwrap_or("the module could not be loaded"));
    explain(text, &cause, files)
}

/// The guest ended by something that is no exception.
pub(super) fn crashed(message: String, files: &BTreeMap<String, Bytes>) -> BuildError {
    let hint = "Create large or deeply nested values in handle_request, not at the top level.";
    source_error(message, Some(hint), None, files)
}

fn explain(guest: &str, cause: &str, files: &BTreeMap<String, Bytes>) -> BuildError {
    let place = last_place(guest, files);
    let hint = hint(cause, guest);
    source_error(
        cause.chars().take(1000).collect(),
        hint.as_deref(),
        place,
        files,
    )
}

/// The guest's text, and the one line that says what went wrong.
fn split(output: &str) -> (&str, String) {
    // The outer traceback ends where the toolchain's exception carries the guest's text.
    let inner = output
        .split_once("AssertionError: ")
        .map_or(output, |(_, inner)| inner);
    let (guest, causes) = inner.split_once("\nCaused by:\n").unwrap_or((inner, ""));
    let mut lines = causes
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    // Several causes are numbered, the deepest last.
    let cause = if first.starts_with("0: ") {
        causes
            .lines()
            .map(str::trim)
            .rfind(|line| {
                line.split_once(": ")
                    .is_some_and(|(number, _)| number.parse::<u32>().is_ok())
            })
            .and_then(|line| line.split_once(": "))
            .map_or(first, |(_, text)| text)
    } else {
        first
    };
    let cause = if cause.is_empty() {
        guest
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default()
            .trim()
    } else {
        cause
    };
    (guest, cause.to_owned())
}

/// Paths as the user knows them.
fn clean(line: &str) -> String {
    line.trim_end()
        .replace(&format!("\"{SOURCE_MOUNT}"), "\"")
        .replace(&format!("\"{VENDOR_MOUNT}"), "\"packages/")
}

/// `KeyError: 'X'`, `pkg.errors.Refused`: what Python prints last.
fn looks_like_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or_default();
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    plain
        && [
            "Error",
            "Exception",
            "Exit",
            "Interrupt",
            "Iteration",
            "Warning",
        ]
        .iter()
        .any(|end| last.ends_with(end))
}

/// The deepest line of the traceback that stands in a file of the source.
fn last_place(guest: &str, files: &BTreeMap<String, Bytes>) -> Option<(String, u32)> {
    guest
        .lines()
        .filter_map(|line| {
            let (path, rest) = line
                .trim_start()
                .strip_prefix(&format!("File \"{SOURCE_MOUNT}"))?
                .split_once("\", line ")?;
            let number = rest
                .split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse()
                .ok()?;
            files.contains_key(path).then(|| (path.to_owned(), number))
        })
        .next_back()
}

fn hint(cause: &str, guest: &str) -> Option<String> {
    let quoted = || cause.split('\'').nth(1).unwrap_or_default();
    if cause.contains("has no attribute 'IncomingHandler'") {
        return Some("Define class IncomingHandler(BaseHandler) with BaseHandler imported from spin_sdk.http.".to_owned());
    }
    if cause.starts_with("ModuleNotFoundError") {
        let module = quoted();
        let known = imports::hint(module).map(str::to_owned);
        return known.or_else(|| Some(format!("Add {module} to the archive, or name its package in requirements.txt (pure Python only).")));
    }
    if cause.starts_with("KeyError") && (guest.contains("os.environ") || guest.contains("environ["))
    {
        return Some(format!(
            "The environment is empty while top-level code runs at build time. Read {} inside handle_request.",
            quoted()
        ));
    }
    if cause.contains("can't start new thread") {
        return Some("Functions cannot start threads.".to_owned());
    }
    if cause.starts_with("MemoryError") {
        return Some("Create large values in handle_request, not at the top level.".to_owned());
    }
    if cause.starts_with("FileNotFoundError") {
        return Some("Only files of the archive can be read, at build time, by a path beside the module: pathlib.Path(__file__).parent / \"data.json\".".to_owned());
    }
    if cause.starts_with("OSError") || cause.contains("socket") {
        return Some(
            "Top-level code runs at build time, without network: make the call in handle_request."
                .to_owned(),
        );
    }
    None
}

fn source_error(
    message: String,
    hint: Option<&str>,
    place: Option<(String, u32)>,
    files: &BTreeMap<String, Bytes>,
) -> BuildError {
    let (file, line) = place.unwrap_or_default();
    let text = files
        .get(&file)
        .and_then(|content| std::str::from_utf8(content).ok());
    let shown = text
        .and_then(|text| text.lines().nth((line as usize).checked_sub(1)?))
        .map(excerpt);
    let found = Diagnostic {
        severity: Severity::Error,
        file,
        line,
        column: 0,
        message,
        hint: hint.map(str::to_owned),
        excerpt: shown,
    };
    BuildError::Source {
        message: found.to_string(),
        diagnostics: vec![found],
    }
}

#[cfg(test)]
mod tests {
    use super::{guest_lines, interpret};
    use crate::port::builder::BuildError;
    use bytes::Bytes;
    use std::collections::BTreeMap;

    fn files() -> BTreeMap<String, Bytes> {
        BTreeMap::from([(
            "app.py".to_owned(),
            Bytes::from_static(b"import os\nA = os.environ['A']\n"),
        )])
    }

    fn output(guest: &str, cause: &str) -> String {
        format!(
            "Traceback (most recent call last):\n  File \"/venv/bin/componentize-py\", line 8, in <module>\n    sys.exit(script())\n             ^^^^^^^^\nAssertionError: {guest}\n\nCaused by:\n    {cause}\n"
        )
    }

    #[test]
    fn a_traceback_becomes_a_place_in_the_source() {
        let guest = "hello\nTraceback (most recent call last):\n  File \"/0/app.py\", line 2, in <module>\n    A = os.environ['A']\n  File \"<frozen os>\", line 685, in __getitem__\nKeyError: 'A'\n";
        let text = output(guest, "KeyError: 'A'");
        let BuildError::Source {
            message,
            diagnostics,
        } = interpret(&text, &files())
        else {
            panic!("not the source's fault")
        };
        assert_eq!(message, "app.py:2: KeyError: 'A'");
        assert!(
            diagnostics[0]
                .hint
                .as_deref()
                .is_some_and(|hint| hint.contains("Read A inside handle_request"))
        );
        assert_eq!(
            diagnostics[0].excerpt.as_deref(),
            Some("A = os.environ['A']")
        );
        let lines = guest_lines(&text);
        assert_eq!(lines.first().map(String::as_str), Some("hello"));
        assert!(
            lines.iter().all(|line| !line.contains("/venv/"))
                && lines.contains(&"  File \"app.py\", line 2, in <module>".to_owned())
        );
    }

    #[test]
    fn an_exception_without_a_traceback_is_still_the_sources() {
        let error = interpret(
            &output(
                "",
                "AttributeError: module 'app' has no attribute 'IncomingHandler'",
            ),
            &files(),
        );
        assert!(
            matches!(error, BuildError::Source { message, diagnostics } if message.contains("has no attribute") && diagnostics[0].hint.is_some())
        );
    }

    #[test]
    fn a_traceback_of_the_guest_itself_becomes_the_same_place() {
        let text = "Traceback (most recent call last):\n  File \"/0/app.py\", line 2, in <module>\n    A = os.environ['A']\n        ~~~~~~~~~~^^^^^\n  File \"<frozen os>\", line 685, in __getitem__\nKeyError: 'A'\n";
        let message = |text| match super::interpret_traceback(text, &files()) {
            BuildError::Source { message, .. } => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(message(text), "app.py:2: KeyError: 'A'");
        let several = "Traceback (most recent call last):\n  File \"/0/app.py\", line 1, in <module>\n    raise ValueError('a\\nb')\nValueError: a\nb\n";
        assert_eq!(message(several), "app.py:1: ValueError: a");
        let bare = "AttributeError: module 'app' has no attribute 'IncomingHandler'\n";
        assert_eq!(
            message(bare),
            "AttributeError: module 'app' has no attribute 'IncomingHandler'"
        );
    }

    #[test]
    fn a_failure_of_the_toolchain_is_not_the_sources() {
        for cause in [
            "No space left on device (os error 28)",
            "0: failed to read wit\n    1: no such directory",
        ] {
            assert!(
                matches!(
                    interpret(&output("unable to build", cause), &files()),
                    BuildError::Failed(_)
                ),
                "{cause}"
            );
        }
        assert!(matches!(interpret("", &files()), BuildError::Failed(_)));
    }

    #[test]
    fn a_crash_of_the_guest_is_the_sources() {
        let error = interpret(
            &output(
                "error while executing at wasm backtrace:\n 0: abc",
                "0: error\n    1: wasm trap: call stack exhausted",
            ),
            &files(),
        );
        assert!(matches!(error, BuildError::Source { message, .. } if message.contains("crashed")));
    }
}
