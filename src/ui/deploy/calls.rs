//! Ready calls of a function's address, for copying.

use crate::model::function::{HttpMethod, HttpMethods};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Caller {
    #[default]
    Curl,
    Python,
    JavaScript,
}

impl Caller {
    pub const ALL: [Self; 3] = [Self::Curl, Self::Python, Self::JavaScript];

    /// Its word in the address of the page.
    pub fn key(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Python => "python",
            Self::JavaScript => "javascript",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
        }
    }

    pub fn from_key(key: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|caller| caller.key() == key)
            .unwrap_or_default()
    }
}

const SAMPLE_BODY: &str = r#"{"name": "Blue"}"#;

/// The method to show: one with a body when there is such, since that call is harder to write.
fn sample_method(methods: &HttpMethods) -> HttpMethod {
    let with_body = [HttpMethod::Post, HttpMethod::Put, HttpMethod::Patch]
        .into_iter()
        .find(|method| methods.contains(*method));
    with_body
        .or_else(|| methods.iter().next())
        .unwrap_or(HttpMethod::Get)
}

/// A string literal that Python and JavaScript both read; JSON's are such.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A call of `url` in the words of `caller`.
pub fn call_sample(caller: Caller, url: &str, methods: &HttpMethods) -> String {
    let method = sample_method(methods);
    let has_body = matches!(
        method,
        HttpMethod::Post | HttpMethod::Put | HttpMethod::Patch
    );
    match caller {
        Caller::Curl => {
            let flag = match method {
                HttpMethod::Get => String::new(),
                HttpMethod::Head => " --head".to_owned(),
                other => format!(" -X {other}"),
            };
            let body = if has_body {
                format!(
                    " \\\n  -H 'content-type: application/json' \\\n  -d {}",
                    shell_quoted(SAMPLE_BODY)
                )
            } else {
                String::new()
            };
            format!("curl{flag} {}{body}", shell_quoted(url))
        }
        Caller::Python => {
            let body = if has_body {
                format!(
                    "\n    headers={{\"content-type\": \"application/json\"}},\n    data=json.dumps({SAMPLE_BODY}).encode(),"
                )
            } else {
                String::new()
            };
            let import = if has_body { "import json\n" } else { "" };
            format!(
                "{import}import urllib.request\n\nrequest = urllib.request.Request(\n    {},\n    method=\"{method}\",{body}\n)\nwith urllib.request.urlopen(request) as response:\n    print(response.status, response.read().decode())",
                literal(url)
            )
        }
        Caller::JavaScript => {
            let body = if has_body {
                format!(
                    "\n  headers: {{\"content-type\": \"application/json\"}},\n  body: JSON.stringify({SAMPLE_BODY}),"
                )
            } else {
                String::new()
            };
            format!(
                "const response = await fetch({}, {{\n  method: \"{method}\",{body}\n}});\nconsole.log(response.status, await response.text());",
                literal(url)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(all: &[HttpMethod]) -> HttpMethods {
        HttpMethods::parse(all.iter().copied()).expect("some")
    }

    #[test]
    fn a_call_with_a_body_is_shown_where_the_function_takes_one() {
        let call = call_sample(
            Caller::Curl,
            "http://127.0.0.1:3001/pay",
            &methods(&[HttpMethod::Get, HttpMethod::Post]),
        );
        assert_eq!(
            call,
            "curl -X POST 'http://127.0.0.1:3001/pay' \\\n  -H 'content-type: application/json' \\\n  -d '{\"name\": \"Blue\"}'"
        );
        let call = call_sample(Caller::Python, "http://a/b", &methods(&[HttpMethod::Put]));
        assert!(
            call.starts_with("import json\n")
                && call.contains("method=\"PUT\"")
                && call.contains("data=json.dumps(")
        );
    }

    #[test]
    fn a_call_without_one_is_short() {
        assert_eq!(
            call_sample(Caller::Curl, "http://a/b", &methods(&[HttpMethod::Get])),
            "curl 'http://a/b'"
        );
        assert!(
            !call_sample(
                Caller::JavaScript,
                "http://a/b",
                &methods(&[HttpMethod::Delete])
            )
            .contains("body")
        );
    }

    #[test]
    fn an_address_cannot_leave_its_quotes() {
        let odd = "http://a/'\"$(x)";
        assert!(
            call_sample(Caller::Curl, odd, &HttpMethods::default())
                .contains(r#"'http://a/'\''"$(x)'"#)
        );
        assert!(
            call_sample(Caller::Python, odd, &HttpMethods::default())
                .contains(r#""http://a/'\"$(x)""#)
        );
    }

    #[test]
    fn an_unknown_word_in_the_address_means_curl() {
        assert_eq!(Caller::from_key("javascript"), Caller::JavaScript);
        assert_eq!(Caller::from_key("<x>"), Caller::Curl);
    }
}
