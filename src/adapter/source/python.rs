//! One parsed Python module, with places a person can find.

mod hints;
mod nesting;

use ruff_python_ast::{ModModule, PythonVersion};
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_unchecked};
use ruff_source_file::LineIndex;
use ruff_text_size::{Ranged, TextSize};

use self::hints::syntax_hint;
use self::nesting::too_deep;
use crate::model::source::{Diagnostic, Severity};

/// Characters of a source line that are shown.
const MAX_EXCERPT: usize = 200;

pub(crate) struct Module<'a> {
    pub(crate) file: &'a str,
    text: &'a str,
    lines: LineIndex,
    parsed: Parsed<ModModule>,
}

impl<'a> Module<'a> {
    /// Parses as far as possible. `Err` when the text cannot even be parsed in part.
    pub(crate) fn parse(file: &'a str, text: &'a str) -> Result<Self, Box<Diagnostic>> {
        let lines = LineIndex::from_source_text(text);
        if let Some(offset) = text.find('\0') {
            let message = "The source holds a NUL byte.";
            return Err(Box::new(diagnostic(
                file,
                text,
                &lines,
                size(offset),
                Severity::Error,
                message,
                Some("Save the file as plain UTF-8 text."),
            )));
        }
        if too_deep(text) {
            let hint = "Close every bracket, and split long expressions and deep blocks into smaller functions.";
            let found = diagnostic(
                file,
                text,
                &lines,
                size(0),
                Severity::Error,
                "The code is nested too deeply.",
                Some(hint),
            );
            return Err(Box::new(Diagnostic {
                line: 0,
                column: 0,
                excerpt: None,
                ..found
            }));
        }
        let options = ParseOptions::from(Mode::Module).with_target_version(PythonVersion::PY312);
        let parsed = parse_unchecked(text, options).try_into_module();
        let Some(parsed) = parsed else {
            return Err(Box::new(diagnostic(
                file,
                text,
                &lines,
                size(0),
                Severity::Error,
                "The source is not a Python module.",
                None,
            )));
        };
        Ok(Self {
            file,
            text,
            lines,
            parsed,
        })
    }

    pub(crate) fn syntax(&self) -> &ModModule {
        self.parsed.syntax()
    }

    /// The first syntax error: those after it are mostly its echo.
    pub(crate) fn syntax_error(&self) -> Option<Diagnostic> {
        if let Some(error) = self
            .parsed
            .errors()
            .iter()
            .min_by_key(|error| error.location.start())
        {
            let message = error.error.to_string();
            return Some(self.error(
                error.location.start(),
                format!("Syntax error: {message}."),
                Some(&syntax_hint(&message, self.line_at(error.location.start()))),
            ));
        }
        let error = self
            .parsed
            .unsupported_syntax_errors()
            .iter()
            .min_by_key(|error| error.range().start())?;
        Some(self.error(
            error.range().start(),
            format!("Syntax error: {error}."),
            Some("Functions run on Python 3.12: write it as that version does."),
        ))
    }

    pub(crate) fn error(
        &self,
        at: TextSize,
        message: impl Into<String>,
        hint: Option<&str>,
    ) -> Diagnostic {
        self.finding(Severity::Error, at, message.into(), hint)
    }

    pub(crate) fn warning(
        &self,
        at: TextSize,
        message: impl Into<String>,
        hint: Option<&str>,
    ) -> Diagnostic {
        self.finding(Severity::Warning, at, message.into(), hint)
    }

    fn finding(
        &self,
        severity: Severity,
        at: TextSize,
        message: String,
        hint: Option<&str>,
    ) -> Diagnostic {
        diagnostic(
            self.file,
            self.text,
            &self.lines,
            at,
            severity,
            message,
            hint,
        )
    }

    fn line_at(&self, at: TextSize) -> &str {
        let line = self.lines.line_index(at);
        self.text
            .get(std::ops::Range::<usize>::from(
                self.lines.line_range(line, self.text),
            ))
            .unwrap_or_default()
            .trim()
    }
}

fn size(offset: usize) -> TextSize {
    TextSize::try_from(offset).unwrap_or_default()
}

fn diagnostic(
    file: &str,
    text: &str,
    lines: &LineIndex,
    at: TextSize,
    severity: Severity,
    message: impl Into<String>,
    hint: Option<&str>,
) -> Diagnostic {
    let place = lines.line_column(at.min(size(text.len())), text);
    let line = text
        .get(std::ops::Range::<usize>::from(
            lines.line_range(place.line, text),
        ))
        .unwrap_or_default()
        .trim_end();
    Diagnostic {
        severity,
        file: file.to_owned(),
        line: u32::try_from(place.line.get()).unwrap_or(u32::MAX),
        column: u32::try_from(place.column.get()).unwrap_or(u32::MAX),
        message: message.into(),
        hint: hint.map(str::to_owned),
        excerpt: Some(excerpt(line)),
    }
}

/// A line as it is shown: bounded, without control characters.
pub(crate) fn excerpt(line: &str) -> String {
    line.trim_start_matches('\u{feff}')
        .chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .take(MAX_EXCERPT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Module;

    fn first_error(text: &str) -> Option<(u32, u32, String)> {
        let module = match Module::parse("app.py", text) {
            Ok(module) => module,
            Err(diagnostic) => {
                return Some((diagnostic.line, diagnostic.column, diagnostic.message));
            }
        };
        module.syntax_error().map(|found| {
            (
                found.line,
                found.column,
                found.hint.expect("a syntax error has a hint"),
            )
        })
    }

    #[test]
    fn a_syntax_error_has_its_place_and_a_plain_hint() {
        for (text, line, hint) in [
            ("def f()\n    pass\n", 1, "colon"),
            ("def f():\npass\n", 2, "Indent"),
            ("x = 1\nprint 'a'\n", 2, "print(…)"),
            ("x = 'abc\n", 1, "quotes"),
            ("x = (1,\n", 2, "lose"),
            (
                "class A:\n    def f(self):\n        return 1\n      def g(self):\n        pass\n",
                4,
                "four spaces",
            ),
        ] {
            let (found, _, words) =
                first_error(text).unwrap_or_else(|| panic!("no error in {text}"));
            assert_eq!(found, line, "{text}");
            assert!(words.contains(hint), "{text}: {words}");
        }
    }

    #[test]
    fn columns_count_characters() {
        let (line, column, _) = first_error("이름 = '한글' ) \n").expect("an error");
        assert_eq!((line, column), (1, 11));
    }

    #[test]
    fn newer_syntax_than_the_guest_has_is_refused() {
        assert!(first_error("x = t'{1}'\n").is_some());
        assert!(
            first_error(
                "type A[T] = list[T]\ndef f[T](x: T) -> T:\n    return x\nprint(f'{f('a')}')\n"
            )
            .is_none()
        );
    }

    #[test]
    fn hostile_nesting_is_refused_before_it_is_parsed() {
        let many = 100_000;
        for text in [
            "(".repeat(many),
            "a".to_owned() + &".a".repeat(many),
            "-".repeat(many) + "1",
            "f".to_owned() + &"()".repeat(many),
            "(\nreturn".repeat(many),
            "lambda:".repeat(many),
        ] {
            assert!(
                first_error(&text).is_some_and(|(_, _, message)| message.contains("nested")),
                "{}",
                &text[..20]
            );
        }
        let blocks: String = (0..200)
            .map(|depth| " ".repeat(depth) + "if x:\n")
            .collect();
        assert!(first_error(&blocks).is_some_and(|(_, _, message)| message.contains("nested")));
    }

    #[test]
    fn long_code_is_not_deep_code() {
        let list = format!("x = [{}]\n", "{'a': 1 + 2, 'b': [3]}, ".repeat(5_000));
        let calls = "value = a.b(c)[d] if e else f\n".repeat(5_000);
        let words = format!("x = ({})\n", "'word' ".repeat(5_000));
        for text in [list, calls, words] {
            assert_eq!(first_error(&text), None);
        }
    }

    #[test]
    fn an_open_bracket_early_in_a_long_file_is_named_as_such() {
        let text =
            "x = (1,\n".to_owned() + &"def f(a):\n    return a.b.c + [1, 2][0]\n".repeat(300);
        let module =
            Module::parse("app.py", &text).unwrap_or_else(|found| panic!("{}", found.message));
        assert!(module.syntax_error().is_some());
    }
}
