//! Strings: where they end, and those that a line leaves open.

use super::{Kind, Line};

/// A string that the end of a line left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenString {
    quote: u8,
    triple: bool,
    raw: bool,
}

impl Line<'_, '_> {
    pub(super) fn string(&mut self, prefix: usize) {
        let letters = self.text[self.at..self.at + prefix].to_ascii_lowercase();
        let quote = self.byte(prefix);
        let triple = self.byte(prefix + 1) == quote && self.byte(prefix + 2) == quote;
        let open = OpenString {
            quote,
            triple,
            raw: letters.contains('r'),
        };
        let end = self.string_end(
            self.at + prefix + if triple { 3 } else { 1 },
            open,
            letters.contains('f'),
        );
        self.push(Kind::String, end);
    }

    /// Where the string that is open at `from` ends in this line; notes it as open when it goes on.
    pub(super) fn string_end(&mut self, from: usize, open: OpenString, formatted: bool) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        let mut depth = 0_u32;
        while at < bytes.len() {
            match bytes[at] {
                b'\\' if at + 1 == bytes.len() => {
                    *self.open = Some(open);
                    return bytes.len();
                }
                b'\\' => at += 1,
                b'{' if formatted && bytes.get(at + 1) == Some(&b'{') && depth == 0 => at += 1,
                b'{' if formatted => depth += 1,
                b'}' if formatted => depth = depth.saturating_sub(1),
                // Since Python 3.12 an expression in an f-string may hold its quotes again.
                byte if byte == open.quote && depth > 0 && !open.triple => {
                    if let Some(length) = self.text[at + 1..]
                        .find(char::from(byte))
                        .filter(|length| self.text[at + 1 + length + 1..].contains('}'))
                    {
                        at += length + 1;
                    } else {
                        return at + 1;
                    }
                }
                byte if byte == open.quote && !open.triple => return at + 1,
                byte if byte == open.quote && bytes[at..].starts_with(&[byte; 3]) => return at + 3,
                _ => {}
            }
            at += 1;
        }
        if open.triple {
            *self.open = Some(open);
        }
        bytes.len()
    }
}
