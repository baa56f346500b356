//! The lines of a `requirements.txt`: names and versions, nothing else.

use crate::model::source::{Diagnostic, Severity};
use crate::port::builder::BuildError;

pub(crate) const FILE: &str = "requirements.txt";
const MAX_LINES: usize = 200;
const MAX_LINE: usize = 200;

/// Lines that name a package, comments dropped.
pub(crate) fn read(content: &[u8]) -> Result<Vec<String>, BuildError> {
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

#[cfg(test)]
mod tests {
    use super::read;
    use crate::port::builder::BuildError;

    #[test]
    fn comments_and_blank_lines_are_dropped() {
        let lines = read("\u{feff}# tools\r\n\r\nidna==3.10  # names\n  attrs >=23,<25\nrich[jupyter]; python_version >= '3.8'\n".as_bytes()).expect("sound");
        assert_eq!(
            lines,
            [
                "idna==3.10",
                "attrs >=23,<25",
                "rich[jupyter]; python_version >= '3.8'"
            ]
        );
    }

    #[test]
    fn the_tools_that_build_are_no_requirements_of_a_function() {
        let lines = read(b"spin-sdk==3.1.0\nSpin_SDK\ncomponentize-py >=0.13\nspin-sdk-tools==1\n")
            .expect("sound");
        assert_eq!(lines, ["spin-sdk-tools==1"]);
    }

    #[test]
    fn all_but_names_and_versions_is_refused_with_its_line() {
        for line in [
            "-r other.txt",
            "-e .",
            "--index-url https://example.com",
            "./local",
            "../x",
            "https://example.com/a.whl",
            "a @ https://example.com/a.whl",
            "git+https://example.com/a",
            "file:///etc/passwd",
            "C:\\a.whl",
            "idna==3.10 --hash=sha256:00",
            "a\\",
            "a$(id)",
            "한글",
        ] {
            let error = read(format!("idna\n{line}\n").as_bytes()).expect_err(line);
            let BuildError::Source {
                message,
                diagnostics,
            } = error
            else {
                panic!("another error for {line}")
            };
            assert!(
                message.contains("not accepted") && diagnostics[0].line == 2,
                "{message}"
            );
        }
    }
}
