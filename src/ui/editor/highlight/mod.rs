//! Highlighting of Python, line by line, alike on the server and in the browser.
//!
//! This is a colouring, not a parser: it takes any text, never fails, and is wrong at worst in the colour.

mod strings;
mod words;

use strings::OpenString;
use words::{CONSTANTS, KEYWORDS, TYPES};

/// What a piece of source is; the CSS classes are one letter each, a long file has many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Keyword,
    String,
    Number,
    Function,
    Type,
    Comment,
    Decorator,
    Constant,
    Punctuation,
}

impl Kind {
    pub fn class(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Keyword => Some("k"),
            Self::String => Some("s"),
            Self::Number => Some("n"),
            Self::Function => Some("f"),
            Self::Type => Some("t"),
            Self::Comment => Some("c"),
            Self::Decorator => Some("d"),
            Self::Constant => Some("b"),
            Self::Punctuation => Some("p"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
}

/// Splits source into lines and lines into tokens. A trailing line break makes one more, empty line, as a textarea shows it.
pub fn highlight(source: &str) -> Vec<Vec<Token<'_>>> {
    let mut open = None;
    source
        .split('\n')
        .map(|line| {
            Line {
                text: line,
                at: 0,
                tokens: Vec::new(),
                open: &mut open,
                expects: None,
            }
            .tokens()
        })
        .collect()
}

struct Line<'a, 'o> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token<'a>>,
    open: &'o mut Option<OpenString>,
    /// What the name after `def` or `class` is.
    expects: Option<Kind>,
}

impl<'a> Line<'a, '_> {
    fn tokens(mut self) -> Vec<Token<'a>> {
        if let Some(open) = self.open.take() {
            let end = self.string_end(0, open, false);
            self.push(Kind::String, end);
        }
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'#' => self.push(Kind::Comment, self.text.len()),
                b'"' | b'\'' => self.string(0),
                b'0'..=b'9' => self.number(),
                b'.' if self.byte(1).is_ascii_digit() => self.number(),
                b'@' if self.text[..self.at].trim().is_empty() => self.decorator(),
                b'_' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.name(),
                byte if byte.is_ascii_whitespace() => self.push(Kind::Plain, self.at + 1),
                _ => self.push(Kind::Punctuation, self.at + 1),
            }
        }
        self.tokens
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(0)
    }

    /// Takes the text up to `end`; joins it to the token before when that is of the same kind.
    fn push(&mut self, kind: Kind, end: usize) {
        let start = self.at;
        self.at = end;
        if let Some(last) = self.tokens.last_mut()
            && last.kind == kind
        {
            last.text = &self.text[start - last.text.len()..end];
            return;
        }
        if end > start {
            self.tokens.push(Token {
                kind,
                text: &self.text[start..end],
            });
        }
    }

    fn word_end(&self, from: usize) -> usize {
        self.text[from..]
            .char_indices()
            .find(|(_, c)| !(c.is_alphanumeric() || *c == '_'))
            .map_or(self.text.len(), |(offset, _)| from + offset)
    }

    fn number(&mut self) {
        let bytes = self.text.as_bytes();
        let mut end = self.at;
        while let Some(&byte) = bytes.get(end) {
            let exponent_sign = matches!(byte, b'+' | b'-')
                && matches!(bytes[end - 1], b'e' | b'E')
                && !self.text[self.at..end].starts_with("0x");
            if byte.is_ascii_alphanumeric()
                || byte == b'_'
                || byte == b'.'
                || (end > self.at && exponent_sign)
            {
                end += 1;
            } else {
                break;
            }
        }
        self.push(Kind::Number, end);
    }

    fn decorator(&mut self) {
        let mut end = self.at + 1;
        loop {
            end = self.word_end(end);
            if self.text.as_bytes().get(end) == Some(&b'.') {
                end += 1;
            } else {
                break;
            }
        }
        self.push(Kind::Decorator, end);
    }

    fn name(&mut self) {
        let end = self.word_end(self.at);
        if end == self.at {
            // A character that is no letter and no ASCII, such as an emoji.
            let width = self.text[self.at..]
                .chars()
                .next()
                .map_or(1, char::len_utf8);
            return self.push(Kind::Plain, self.at + width);
        }
        let word = &self.text[self.at..end];
        let prefix = word.len() <= 2
            && word
                .bytes()
                .all(|b| matches!(b.to_ascii_lowercase(), b'r' | b'b' | b'f' | b'u'));
        if prefix && matches!(self.text.as_bytes().get(end), Some(b'"' | b'\'')) {
            return self.string(word.len());
        }
        let kind = self.name_kind(word, end);
        self.expects = match word {
            "def" => Some(Kind::Function),
            "class" => Some(Kind::Type),
            _ => None,
        };
        self.push(kind, end);
    }

    fn name_kind(&self, word: &str, end: usize) -> Kind {
        let attribute = self.text[..self.at].ends_with('.');
        let rest = self.text[end..].trim_start();
        if let Some(kind) = self.expects {
            kind
        } else if !attribute && (KEYWORDS.contains(&word) || self.is_soft_keyword(word, rest)) {
            Kind::Keyword
        } else if CONSTANTS.contains(&word) {
            Kind::Constant
        } else if is_type_name(word) || (!attribute && TYPES.contains(&word)) {
            Kind::Type
        } else if rest.starts_with('(') {
            Kind::Function
        } else {
            Kind::Plain
        }
    }

    /// `match` and `case` are keywords only where a block begins.
    fn is_soft_keyword(&self, word: &str, rest: &str) -> bool {
        matches!(word, "match" | "case")
            && self.text[..self.at].trim().is_empty()
            && self.text.trim_end().ends_with(':')
            && !rest.starts_with(['=', ':', '.', ')', ','])
    }
}

/// `Response`, `ValueError`, but not `JSON` or `T`.
fn is_type_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.contains(|c: char| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{Kind, highlight};

    /// The line as `class:text` pieces; plain text without a class.
    fn line(source: &str) -> Vec<String> {
        pieces(source).remove(0)
    }

    fn pieces(source: &str) -> Vec<Vec<String>> {
        let piece = |token: &super::Token<'_>| {
            token.kind.class().map_or_else(
                || token.text.to_owned(),
                |class| format!("{class}:{}", token.text),
            )
        };
        highlight(source)
            .iter()
            .map(|tokens| tokens.iter().map(piece).collect())
            .collect()
    }

    #[test]
    fn a_method_is_coloured_by_its_parts() {
        assert_eq!(
            line("    def handle_request(self, request: Request) -> Response:"),
            [
                "    ",
                "k:def",
                " ",
                "f:handle_request",
                "p:(",
                "b:self",
                "p:,",
                " request",
                "p::",
                " ",
                "t:Request",
                "p:)",
                " ",
                "p:->",
                " ",
                "t:Response",
                "p::"
            ]
        );
        assert_eq!(line("class handler(Base):")[2], "t:handler");
        assert_eq!(
            line("x = None  # none"),
            ["x ", "p:=", " ", "b:None", "  ", "c:# none"]
        );
    }

    #[test]
    fn strings_keep_their_prefix_and_end_at_their_own_quote() {
        assert_eq!(
            line(r#"b'{"a": 1}' + "it's""#),
            [r#"s:b'{"a": 1}'"#, " ", "p:+", " ", r#"s:"it's""#]
        );
        assert_eq!(line(r#""a\"b" x"#), [r#"s:"a\"b""#, " x"]);
        assert_eq!(line("'open x"), ["s:'open x"]);
        assert_eq!(
            line(r#"f"{a["k"]} #" # c"#),
            [r#"s:f"{a["k"]} #""#, " ", "c:# c"]
        );
        assert_eq!(line(r#"f"{{" + x"#), [r#"s:f"{{""#, " ", "p:+", " x"]);
        assert_eq!(line("rb'\\' x").len(), 1);
    }

    #[test]
    fn a_string_over_several_lines_stays_a_string() {
        assert_eq!(
            pieces("a = \"\"\"one\n'two' # no\nthree\"\"\" + 1"),
            [
                vec!["a ", "p:=", " ", "s:\"\"\"one"],
                vec!["s:'two' # no"],
                vec!["s:three\"\"\"", " ", "p:+", " ", "n:1"]
            ]
        );
        assert_eq!(pieces("'a\\\nb' c"), [vec!["s:'a\\"], vec!["s:b'", " c"]]);
        assert_eq!(pieces("'a\nb"), [vec!["s:'a"], vec!["b"]]);
    }

    #[test]
    fn numbers_and_decorators_are_whole() {
        assert_eq!(
            line("1_000 0xFF-1 1e-5 .5j"),
            [
                "n:1_000", " ", "n:0xFF", "p:-", "n:1", " ", "n:1e-5", " ", "n:.5j"
            ]
        );
        assert_eq!(
            line("@app.route('/')"),
            ["d:@app.route", "p:(", "s:'/'", "p:)"]
        );
        assert_eq!(line("a @ b"), ["a ", "p:@", " b"]);
    }

    #[test]
    fn a_keyword_is_none_where_it_is_a_name() {
        assert_eq!(line("match = 1")[0], "match ");
        assert_eq!(line("match x:")[0], "k:match");
        assert_eq!(line("x.type"), ["x", "p:.", "type"]);
        assert_eq!(line("str(x)")[0], "t:str");
        assert_eq!(line("JSON")[0], "JSON");
    }

    #[test]
    fn any_text_comes_out_as_it_went_in() {
        let odd = "\u{0}\t'\\\n\"\"\"\\\n결제 = '한글'\r\n🎉 x\u{301} f'{' 'a' \"\"\" @\n@결제.a\n0x 1e+ f\"{\\\"\n\n";
        for cut in (0..=odd.len()).filter(|at| odd.is_char_boundary(*at)) {
            let source = &odd[cut..];
            let joined = highlight(source)
                .iter()
                .map(|line| line.iter().map(|token| token.text).collect::<String>())
                .collect::<Vec<_>>()
                .join("\n");
            assert_eq!(joined, source);
        }
    }

    #[test]
    fn two_thousand_lines_are_tokenized_each() {
        let source =
            "        if event[\"status\"] == 'DONE' and f(x, 1.5):  # 확인\n".repeat(2_000);
        let lines = highlight(&source);
        assert_eq!(lines.len(), 2_001);
        assert!(lines[..2_000].iter().all(|tokens| {
            tokens
                .last()
                .is_some_and(|token| token.kind == Kind::Comment)
        }));
    }
}
