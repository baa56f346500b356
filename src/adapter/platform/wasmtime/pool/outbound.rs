//! HTTP requests of guests, sent by the server: only to hosts on the function's list, never by way of a name into this machine or its network.

use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::super::protocol::{Cause, Refusal};
use super::addresses::{PrivateName, PublicNames, is_public};
use crate::adapter::http_client;
use crate::model::function::OutboundHost;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The connections of all guests. Made at the first request: the certificates it reads take memory that a server without outbound calls keeps free.
#[derive(Debug, Default)]
pub(super) struct OutboundClient(OnceLock<Option<reqwest::Client>>);

impl OutboundClient {
    pub fn get(&self) -> Option<&reqwest::Client> {
        self.0
            .get_or_init(|| {
                http_client::builder()
                    .referer(false)
                    .connect_timeout(CONNECT_TIMEOUT)
                    .pool_idle_timeout(IDLE_TIMEOUT)
                    .dns_resolver(Arc::new(PublicNames))
                    .build()
                    .inspect_err(
                        |error| tracing::error!(%error, "no HTTP client for outbound requests"),
                    )
                    .ok()
            })
            .as_ref()
    }
}

fn refuse<T>(cause: Cause, note: String) -> Result<T, Refusal> {
    let note = Some(note);
    Err(Refusal { cause, note })
}

/// The address as it will be used, if a function with this list may call it.
pub(super) fn admit(hosts: &[OutboundHost], url: &str) -> Result<reqwest::Url, Refusal> {
    let invalid = || Refusal {
        cause: Cause::InvalidUrl,
        note: None,
    };
    // Parsed as the client will: `http://2130706433` and `http://127.1` are 127.0.0.1.
    let url = reqwest::Url::parse(url).map_err(|_| invalid())?;
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(invalid());
    };
    let scheme = url.scheme();
    let listed = hosts
        .iter()
        .any(|allowed| allowed.allows(scheme, host, port));
    if !listed {
        return refuse(
            Cause::NotListed,
            format!(
                "Outbound request to {scheme}://{host}:{port} refused: the host is not among the function's allowedOutboundHosts. Add {scheme}://{host}:{port} there and deploy or save the settings."
            ),
        );
    }
    let literal = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
        .ok();
    if literal.is_some_and(|address| !is_public(address)) && !names_literally(hosts, host) {
        return refuse(
            Cause::NotListed,
            format!(
                "Outbound request to {host} refused: an address of a private network is reached only if allowedOutboundHosts names it itself, as in {scheme}://{host}:{port}; a wildcard does not."
            ),
        );
    }
    Ok(url)
}

/// Why a request that was sent has no answer.
pub(super) fn failure(host: &str, error: &reqwest::Error) -> Refusal {
    if sources(error).any(<dyn StdError>::is::<PrivateName>) {
        return Refusal {
            cause: Cause::PrivateAddress,
            note: Some(format!(
                "Outbound request to {host} refused: the name leads into a private network. List the address itself in allowedOutboundHosts if that is meant."
            )),
        };
    }
    let text = sources(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let note = Some(format!("Outbound request to {host} failed: {text}"));
    let cause = if error.is_timeout() {
        Cause::TimedOut
    } else if error.is_connect() {
        Cause::Unreachable
    } else {
        Cause::Other(text)
    };
    Refusal { cause, note }
}

fn sources<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Whether the list names this host itself, not by a wildcard.
fn names_literally(hosts: &[OutboundHost], host: &str) -> bool {
    hosts.iter().any(|allowed| {
        let text = allowed.to_string();
        let authority = text
            .split_once("://")
            .map_or("", |(_, authority)| authority);
        authority
            .strip_prefix(host)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(hosts: &[&str]) -> Vec<OutboundHost> {
        hosts
            .iter()
            .map(|host| OutboundHost::parse(host).expect("valid"))
            .collect()
    }

    fn admits(hosts: &[&str], url: &str) -> bool {
        admit(&parsed(hosts), url).is_ok()
    }

    #[test]
    fn only_listed_hosts_are_admitted() {
        assert!(!admits(&[], "https://example.com/"));
        assert!(admits(&["https://example.com"], "https://example.com/a?b"));
        assert!(!admits(&["https://example.com"], "http://example.com/"));
        assert!(!admits(
            &["https://example.com"],
            "https://example.com.evil.org/"
        ));
        assert!(!admits(
            &["https://example.com"],
            "https://example.com@evil.org/"
        ));
    }

    #[test]
    fn a_refusal_names_the_host_and_the_setting() {
        let refusal = admit(&[], "https://example.com/").expect_err("not listed");
        let note = refusal.note.expect("a note");
        assert!(
            note.contains("https://example.com:443") && note.contains("allowedOutboundHosts"),
            "{note}"
        );
    }

    #[test]
    fn a_wildcard_does_not_reach_private_addresses() {
        for uri in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://127.1/",
            "http://169.254.169.254/latest",
            "http://[::1]/",
            "http://10.0.0.1/",
        ] {
            assert!(!admits(&["*://*:*"], uri), "{uri}");
        }
        assert!(admits(&["*://*:*"], "http://1.1.1.1/"));
        assert!(admits(&["http://127.0.0.1:8080"], "http://127.0.0.1:8080/"));
        assert!(admits(&["http://[::1]:80"], "http://[::1]/"));
    }
}
