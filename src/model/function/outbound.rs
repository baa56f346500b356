//! The hosts that a function may call.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::error::{Error, Result};

/// A host that a function may call, in Spin's syntax: `https://api.example.com`, `https://*.example.com:8443`, `*://localhost:*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(format = "outbound-host", example = "https://api.example.com")]
pub struct OutboundHost(String);

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
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(wrong())
        }
    }

    /// Whether a call with this scheme, host and port is meant. Without a port, the scheme's own is.
    pub fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let Some((allowed_scheme, authority)) = self.0.split_once("://") else {
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
        f.write_str(&self.0)
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
        host.0
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
}
