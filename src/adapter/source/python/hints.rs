//! Advice on syntax errors.

/// What to do about a syntax error, in plain words.
pub(super) fn syntax_hint(message: &str, line: &str) -> String {
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
