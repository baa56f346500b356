//! Texts of the Builder Service without what nobody may read in them. It runs tools with the credentials it is given, and repeats
//! what those print.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Characters that are passed on: a type check's errors are many lines, and the longest text must fit into a record.
const MAX_TEXT: usize = 16 * 1024;
/// In place of a secret.
const MASK: &str = "***";
/// The name that stands for no user: ECR's, where a password came without one.
const NOBODY: &str = "AWS";
/// Words after which tools print a secret.
const BEFORE_SECRETS: [&str; 8] = [
    "--password ",
    "-creds ",
    "-creds=",
    "password=",
    "\"password\": ",
    "authorization: basic ",
    "authorization: bearer ",
    "aws_secret_access_key=",
];

/// The same where something logs in; elsewhere it is another option.
const SHORT: &str = " -p ";

/// What was sent and may come back in an error.
#[derive(Clone, Default)]
pub struct Secrets {
    known: Vec<String>,
}

impl Secrets {
    /// Credentials in the forms that they travel in.
    pub fn add(&mut self, username: Option<&str>, password: Option<&str>) {
        let username = username.unwrap_or_default();
        if let Some(password) = password.filter(|password| !password.is_empty()) {
            self.known
                .push(STANDARD.encode(format!("{username}:{password}")));
            self.known.push(STANDARD.encode(password));
            self.known.push(percent_encoded(password));
            self.known.push(json_escaped(password));
            self.known.push(password.to_owned());
        }
        // A name of one or two letters would take the letters out of all other words.
        if username.len() > 2 && username != NOBODY {
            self.known.push(username.to_owned());
        }
    }

    /// The text without these, without what looks like one, without control characters, and bounded. Takes time in proportion to the text,
    /// however hostile that is.
    pub fn clean(&self, text: &str) -> String {
        let longest = self.known.iter().map(String::len).max();
        // What begins before the bound can be recognised to its end.
        let text = plain(text, MAX_TEXT + longest.unwrap_or_default());
        let bound = text.char_indices().nth(MAX_TEXT).map(|(at, _)| at);
        let text = self.mask_known(&text, bound.unwrap_or(text.len()));
        let masked = mask_addresses(&mask_after_words(&text), bound.is_some());
        let end = masked.char_indices().nth(MAX_TEXT).map(|(at, _)| at);
        match end.or(bound.map(|_| masked.len())) {
            Some(end) => format!("{} …", masked[..end].trim()),
            None => masked.trim().to_owned(),
        }
    }

    /// The text up to `end`, in which no part of what was sent is left.
    fn mask_known(&self, text: &str, end: usize) -> String {
        let all = self.known.iter().flat_map(|secret| {
            let found = text.match_indices(secret.as_str());
            found.map(|(at, found)| (at, at + found.len()))
        });
        let mut places: Vec<(usize, usize)> = all.filter(|(at, _)| *at < end).collect();
        places.sort_unstable();
        let mut masked = String::with_capacity(end);
        let mut from = 0;
        for (at, until) in places {
            if at >= from {
                masked.push_str(&text[from..at]);
                masked.push_str(MASK);
            }
            from = from.max(until);
        }
        masked.push_str(text.get(from..end).unwrap_or_default());
        masked
    }
}

/// Line breaks and tabs stay; the rest of what steers a terminal goes, escape sequences whole. Of that, one character more than `most`.
fn plain(text: &str, most: usize) -> String {
    let mut kept = String::new();
    let mut count = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if count > most {
            break;
        }
        let before = kept.len();
        match letter {
            '\u{1b}' if letters.next_if_eq(&'[').is_some() => {
                // Parameters up to the letter that ends the sequence.
                while letters
                    .next_if(|next| matches!(next, '0'..='9' | ';' | '?'))
                    .is_some()
                {}
                letters.next_if(char::is_ascii_alphabetic);
            }
            '\n' | '\t' => kept.push(letter),
            // Marks that turn the direction of text around hide what it says.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            _ if letter.is_control() => {}
            _ => kept.push(letter),
        }
        count += usize::from(kept.len() > before);
    }
    kept
}

/// `--password xyz` and its like: known or not, what follows such a word is one. So is what follows `-p` where something logs in.
fn mask_after_words(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut masked = String::with_capacity(text.len());
    let (mut from, mut at, mut logs_in) = (0, 0, false);
    while at < lower.len() {
        let here = &lower.as_bytes()[at..];
        if here.starts_with(b"login ") {
            logs_in = true;
        } else if here.starts_with(b"\n") {
            logs_in = false;
        }
        let mut words = BEFORE_SECRETS.iter();
        let word = words.find(|word| here.starts_with(word.as_bytes()));
        let short = (logs_in && here.starts_with(SHORT.as_bytes())).then_some(&SHORT);
        let Some(word) = word.or(short) else {
            at += 1;
            continue;
        };
        let begin = at + word.len();
        let rest = &text[begin..];
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let end = match quote {
            Some(quote) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
            None => rest
                .find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '}' | '&'))
                .unwrap_or(rest.len()),
        };
        masked.push_str(&text[from..begin]);
        if end > 0 {
            masked.push_str(MASK);
        }
        from = begin + end;
        at = from;
    }
    masked.push_str(&text[from..]);
    masked
}

/// `https://user:password@host`: what stands before the `@` goes. So does all of an address whose end is not there, as `is_cut` says.
fn mask_addresses(text: &str, is_cut: bool) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        masked.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>'))
            .unwrap_or(after.len());
        let (authority, others) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                masked.push_str(MASK);
                masked.push('@');
                masked.push_str(host);
            }
            None if is_cut && others.is_empty() => masked.push_str(MASK),
            None => masked.push_str(authority),
        }
        rest = others;
    }
    masked.push_str(rest);
    masked
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// As it stands between the quotes of a JSON text.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
