//! One parsed Python module, with places a person can find.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, PythonVersion};
use ruff_python_parser::lexer::lex;
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_unchecked};
use ruff_source_file::LineIndex;
use ruff_text_size::{Ranged, TextSize};

use crate::model::source::{Diagnostic, Severity};

/// Deepest nesting that is parsed. Parsing, walking and dropping the tree recurse, and the guest's own compiler stops at 500.
const MAX_NESTING: usize = 500;
/// Most indented blocks inside each other, as in CPython.
const MAX_INDENTATION: usize = 100;
/// Characters of a source line that are shown.
const MAX_EXCERPT: usize = 200;

pub(super) struct Module<'a> {
    pub(super) file: &'a str,
    text: &'a str,
    lines: LineIndex,
    parsed: Parsed<ModModule>,
}

impl<'a> Module<'a> {
    /// Parses as far as possible. `Err` when the text cannot even be parsed in part.
    pub(super) fn parse(file: &'a str, text: &'a str) -> Result<Self, Box<Diagnostic>> {
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

    pub(super) fn syntax(&self) -> &ModModule {
        self.parsed.syntax()
    }

    /// The first syntax error: those after it are mostly its echo.
    pub(super) fn syntax_error(&self) -> Option<Diagnostic> {
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

    pub(super) fn error(
        &self,
        at: TextSize,
        message: impl Into<String>,
        hint: Option<&str>,
    ) -> Diagnostic {
        diagnostic(
            self.file,
            self.text,
            &self.lines,
            at,
            Severity::Error,
            message,
            hint,
        )
    }

    pub(super) fn warning(
        &self,
        at: TextSize,
        message: impl Into<String>,
        hint: Option<&str>,
    ) -> Diagnostic {
        diagnostic(
            self.file,
            self.text,
            &self.lines,
            at,
            Severity::Warning,
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
pub(super) fn excerpt(line: &str) -> String {
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

/// Whether nesting passes what can be parsed safely. Within one bracket and between two commas, no tree is deeper than its operators are many.
fn too_deep(text: &str) -> bool {
    let mut levels = vec![0_usize];
    let mut indentation = 0_usize;
    // Brackets left open before a statement: a parser goes on after them, but they may still be on its stack.
    let mut abandoned = 0_usize;
    let mut lexer = lex(text, Mode::Module);
    loop {
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => return false,
            TokenKind::Indent => indentation += 1,
            TokenKind::Dedent => indentation = indentation.saturating_sub(1),
            TokenKind::Newline => levels = vec![0],
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => levels.push(1),
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                if levels.len() > 1 {
                    levels.pop();
                }
                // `f(1)(2)(3)`: what follows wraps what was there.
                count(&mut levels);
            }
            TokenKind::Comma | TokenKind::Semi => {
                levels.last_mut().into_iter().for_each(|level| *level = 0);
            }
            TokenKind::Def
            | TokenKind::Class
            | TokenKind::Import
            | TokenKind::Return
            | TokenKind::While
            | TokenKind::With
            | TokenKind::Try
            | TokenKind::Except
            | TokenKind::Raise
            | TokenKind::Pass => {
                abandoned += levels.len() - 1;
                levels = vec![0];
            }
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringStart
            | TokenKind::FStringMiddle
            | TokenKind::FStringEnd
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline => {}
            _ => count(&mut levels),
        }
        if indentation > MAX_INDENTATION || abandoned + levels.iter().sum::<usize>() > MAX_NESTING {
            return true;
        }
    }
}

fn count(levels: &mut [usize]) {
    if let Some(level) = levels.last_mut() {
        *level += 1;
    }
}

/// What to do about a syntax error, in plain words.
fn syntax_hint(message: &str, line: &str) -> String {
    let lower = message.to_ascii_lowercase();
    let known = [
        (
            "expected ':'",
            "Add a colon at the end of the line that opens the block.",
        ),
        (
            "indented block",
            "Indent the lines of the block by four spaces, or write pass.",
        ),
        (
            "indentation",
            "Indent with four spaces a level, and never mix tabs with spaces.",
        ),
        (
            "indent",
            "Indent with four spaces a level, and never mix tabs with spaces.",
        ),
        ("unterminated", "Close the quotes of the text."),
        ("missing closing quote", "Close the quotes of the text."),
        (
            "f-string",
            "Check the braces and quotes inside the f-string.",
        ),
        (
            "expected ')'",
            "Close the parenthesis that was opened on this line or above.",
        ),
        (
            "expected ']'",
            "Close the bracket that was opened on this line or above.",
        ),
        (
            "expected '}'",
            "Close the brace that was opened on this line or above.",
        ),
        (
            "unexpected eof",
            "A bracket or a text is opened and never closed: close it.",
        ),
        (
            "assignment target",
            "Only a name, an attribute or an item can stand to the left of =; compare with ==.",
        ),
    ];
    if line.starts_with("print ") {
        return "In Python 3 print is a function: write print(…).".to_owned();
    }
    if line.starts_with("except ") && line.contains(',') {
        return "Write several exceptions in parentheses, and name the error with as: except (A, B) as error:".to_owned();
    }
    let found = known
        .iter()
        .find(|(part, _)| lower.contains(part))
        .map(|(_, hint)| *hint);
    found
        .unwrap_or("Check brackets, quotes, colons and commas here and on the line above.")
        .to_owned()
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
