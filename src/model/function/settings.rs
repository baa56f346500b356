//! What a function's owner chooses: memory, time, methods, environment, hosts.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::model::error::{Error, Result};

/// Largest environment of a function: names and values together, in bytes.
pub const MAX_ENVIRONMENT: usize = 64 * 1024;

/// MB that one invocation may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Memory(u32);

impl Memory {
    pub fn parse(megabytes: u32) -> Result<Self> {
        if (128..=1024).contains(&megabytes) {
            Ok(Self(megabytes))
        } else {
            Err(Error::validation(
                "memory",
                "Choose a memory between 128 and 1024 MB.",
            ))
        }
    }

    pub fn megabytes(self) -> u32 {
        self.0
    }

    pub fn bytes(self) -> usize {
        self.0 as usize * 1024 * 1024
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self(256)
    }
}

impl TryFrom<u32> for Memory {
    type Error = Error;
    fn try_from(megabytes: u32) -> Result<Self> {
        Self::parse(megabytes)
    }
}

impl From<Memory> for u32 {
    fn from(memory: Memory) -> u32 {
        memory.0
    }
}

/// Seconds that one invocation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Timeout(u32);

impl Timeout {
    pub fn parse(seconds: u32) -> Result<Self> {
        if (1..=900).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(Error::validation(
                "timeout",
                "Choose a timeout between 1 and 900 seconds.",
            ))
        }
    }

    pub fn seconds(self) -> u32 {
        self.0
    }

    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(u64::from(self.0))
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self(30)
    }
}

impl TryFrom<u32> for Timeout {
    type Error = Error;
    fn try_from(seconds: u32) -> Result<Self> {
        Self::parse(seconds)
    }
}

impl From<Timeout> for u32 {
    fn from(timeout: Timeout) -> u32 {
        timeout.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Delete,
    Patch,
    Head,
    Options,
}

impl HttpMethod {
    pub const ALL: [Self; 7] = [
        Self::Get,
        Self::Post,
        Self::Put,
        Self::Delete,
        Self::Patch,
        Self::Head,
        Self::Options,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }

    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| {
                Error::validation(
                    "httpMethods",
                    "Choose among GET, POST, PUT, DELETE, PATCH, HEAD and OPTIONS.",
                )
            })
    }
}

impl std::fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The methods a function answers: at least one, each once, in the order given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<HttpMethod>", into = "Vec<HttpMethod>")]
pub struct HttpMethods(Vec<HttpMethod>);

impl HttpMethods {
    pub fn parse(methods: impl IntoIterator<Item = HttpMethod>) -> Result<Self> {
        let mut unique = Vec::new();
        for method in methods {
            if !unique.contains(&method) {
                unique.push(method);
            }
        }
        if unique.is_empty() {
            Err(Error::validation(
                "httpMethods",
                "Choose at least one HTTP method.",
            ))
        } else {
            Ok(Self(unique))
        }
    }

    /// GET also lets HEAD pass, as HTTP expects.
    pub fn allow(&self, method: &str) -> bool {
        self.0.iter().any(|allowed| {
            allowed.as_str() == method || (*allowed == HttpMethod::Get && method == "HEAD")
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = HttpMethod> + '_ {
        self.0.iter().copied()
    }

    pub fn contains(&self, method: HttpMethod) -> bool {
        self.0.contains(&method)
    }

    /// As in an `Allow` header: `GET, POST`.
    pub fn joined(&self) -> String {
        self.0
            .iter()
            .map(|method| method.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl Default for HttpMethods {
    fn default() -> Self {
        Self(vec![HttpMethod::Get])
    }
}

impl TryFrom<Vec<HttpMethod>> for HttpMethods {
    type Error = Error;
    fn try_from(methods: Vec<HttpMethod>) -> Result<Self> {
        Self::parse(methods)
    }
}

impl From<HttpMethods> for Vec<HttpMethod> {
    fn from(methods: HttpMethods) -> Self {
        methods.0
    }
}

/// Environment variables: names as in a shell, 64 KiB in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<String, String>",
    into = "BTreeMap<String, String>"
)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    pub fn parse(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let mut map = BTreeMap::new();
        let mut size = 0;
        for (name, value) in variables {
            let valid = name
                .chars()
                .next()
                .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && name.len() <= 128;
            if !valid {
                return Err(Error::validation(
                    "environmentVariables",
                    format!(
                        "\"{}\" is not a variable name. Use letters, digits and underscores, not starting with a digit.",
                        name.chars().take(64).collect::<String>()
                    ),
                ));
            }
            if value.contains('\0') {
                return Err(Error::validation(
                    "environmentVariables",
                    format!("Remove the NUL character from the value of {name}."),
                ));
            }
            size += name.len() + value.len();
            if map.insert(name.clone(), value).is_some() {
                return Err(Error::validation(
                    "environmentVariables",
                    format!("{name} is given twice. Keep one of the two."),
                ));
            }
        }
        if size > MAX_ENVIRONMENT {
            return Err(Error::validation(
                "environmentVariables",
                format!(
                    "The environment is {size} bytes; at most {MAX_ENVIRONMENT} are kept. Move large values into a service of your own."
                ),
            ));
        }
        Ok(Self(map))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names, each with the same stand-in for its value.
    #[must_use]
    pub fn masked(self) -> Self {
        let masked = self.0.into_keys().map(|name| (name, "***".to_owned()));
        Self(masked.collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<BTreeMap<String, String>> for Environment {
    type Error = Error;
    fn try_from(map: BTreeMap<String, String>) -> Result<Self> {
        Self::parse(map)
    }
}

impl From<Environment> for BTreeMap<String, String> {
    fn from(environment: Environment) -> Self {
        environment.0
    }
}

/// A host that a function may call, in Spin's syntax: `https://api.example.com`, `https://*.example.com:8443`, `*://localhost:*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OutboundHost {
    text: String,
}

impl OutboundHost {
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = || {
            Error::validation(
                "allowedOutboundHosts",
                format!(
                    "\"{}\" is not an outbound host. Write scheme://host[:port], as in https://api.example.com or https://*.example.com:8443.",
                    text.chars().take(80).collect::<String>()
                ),
            )
        };
        let (scheme, authority) = text.split_once("://").ok_or_else(wrong)?;
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
        let scheme_fits = matches!(scheme, "http" | "https" | "*");
        let host_fits = !host.is_empty()
            && host.len() <= 253
            && (host == "*"
                || host.strip_prefix("*.").unwrap_or(host).chars().all(|c| {
                    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':')
                }));
        let port_fits =
            port.is_empty() || port == "*" || port.parse::<u16>().is_ok_and(|port| port != 0);
        if scheme_fits && host_fits && port_fits {
            Ok(Self {
                text: text.to_ascii_lowercase(),
            })
        } else {
            Err(wrong())
        }
    }

    /// Whether a call with this scheme, host and port is meant. Without a port, the scheme's own is.
    pub fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let Some((allowed_scheme, authority)) = self.text.split_once("://") else {
            return false;
        };
        let (allowed_host, allowed_port) = authority.rsplit_once(':').unwrap_or((authority, ""));
        let host = host.to_ascii_lowercase();
        let scheme_fits = allowed_scheme == "*" || allowed_scheme == scheme;
        let host_fits = allowed_host == "*"
            || allowed_host == host
            || allowed_host
                .strip_prefix('*')
                .is_some_and(|suffix| host.len() > suffix.len() && host.ends_with(suffix));
        let port_fits = match allowed_port {
            "*" => true,
            "" => port == if scheme == "https" { 443 } else { 80 },
            text => text.parse() == Ok(port),
        };
        scheme_fits && host_fits && port_fits
    }
}

impl std::fmt::Display for OutboundHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for OutboundHost {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<OutboundHost> for String {
    fn from(host: OutboundHost) -> String {
        host.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbound_host_means_its_scheme_host_and_port() {
        let host = OutboundHost::parse("https://*.example.com").expect("valid");
        assert!(host.allows("https", "api.example.com", 443));
        assert!(!host.allows("https", "example.com", 443));
        assert!(!host.allows("http", "api.example.com", 80));
        assert!(!host.allows("https", "api.example.com", 8443));
        assert!(!host.allows("https", "api.example.com.evil.org", 443));
        let any_port = OutboundHost::parse("*://localhost:*").expect("valid");
        assert!(any_port.allows("http", "LOCALHOST", 9999));
        for wrong in [
            "example.com",
            "ftp://a",
            "https://",
            "https://a b",
            "https://a:0",
            "https://a:99999",
            "https://a/path",
        ] {
            assert!(OutboundHost::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_variable_given_twice_or_misnamed_is_refused() {
        let pair = |name: &str| (name.to_owned(), "x".to_owned());
        assert!(Environment::parse([pair("A"), pair("A")]).is_err());
        assert!(Environment::parse([pair("1A")]).is_err());
        assert!(Environment::parse([pair("A B")]).is_err());
        assert!(Environment::parse([pair("API_KEY"), pair("_x")]).is_ok());
    }

    #[test]
    fn get_lets_head_pass() {
        let methods = HttpMethods::default();
        assert!(methods.allow("GET") && methods.allow("HEAD") && !methods.allow("POST"));
    }
}
