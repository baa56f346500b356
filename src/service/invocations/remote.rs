//! Calls of a function by its `invocationUrl`, where that is allowed to point (SPEC §10).

use futures::StreamExt as _;
use std::net::IpAddr;

use crate::model::error::{Error, Result};
use crate::port::platform::{Answer, Call, CallFailure, Outcome};

/// Where an `invocationUrl` may point: hosts by name, with `*.` for all below, and port when given.
#[derive(Clone, Debug, Default)]
pub struct RemotePolicy {
    pub allowed_hosts: Vec<String>,
}

impl RemotePolicy {
    fn allows(&self, url: &reqwest::Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        let host = host.to_ascii_lowercase();
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        self.allowed_hosts
            .iter()
            .map(|allowed| allowed.to_ascii_lowercase())
            .any(|allowed| {
                allowed == host
                    || allowed == with_port
                    || allowed
                        .strip_prefix('*')
                        .is_some_and(|suffix| suffix.starts_with('.') && host.ends_with(suffix))
            })
    }
}

pub struct RemoteCaller {
    client: reqwest::Client,
    policy: RemotePolicy,
}

impl RemoteCaller {
    /// Redirects are not followed: they would leave the hosts that are allowed.
    pub fn new(policy: RemotePolicy) -> Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        let client =
            client.map_err(|cause| crate::service::table::internal("START_ERROR", cause))?;
        Ok(Self { client, policy })
    }

    pub(super) async fn call(&self, url: reqwest::Url, call: &Call) -> Result<Outcome> {
        self.check(&url).await?;
        let mut headers = call.headers.clone();
        headers.remove(http::header::HOST);
        let request = self
            .client
            .request(call.method.clone(), url)
            .headers(headers)
            .body(call.body.clone())
            .timeout(call.timeout);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_timeout() => return Ok(Outcome::failed(CallFailure::TimedOut)),
            Err(error) => {
                return Ok(Outcome::failed(CallFailure::Unreachable(short_cause(
                    &error,
                ))));
            }
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) if body.len() + chunk.len() <= call.max_body => {
                    body.extend_from_slice(&chunk);
                }
                Ok(_) => return Ok(Outcome::failed(CallFailure::ResponseTooLarge)),
                Err(error) if error.is_timeout() => {
                    return Ok(Outcome::failed(CallFailure::TimedOut));
                }
                Err(error) => {
                    return Ok(Outcome::failed(CallFailure::Unreachable(short_cause(
                        &error,
                    ))));
                }
            }
        }
        let body = body.into();
        Ok(Outcome::of(Ok(Answer {
            status,
            headers,
            body,
        })))
    }

    async fn check(&self, url: &reqwest::Url) -> Result<()> {
        let host = url.host_str().unwrap_or_default().to_owned();
        if !self.policy.allows(url) {
            return Err(Error::validation(
                "invocationUrl",
                format!(
                    "This server may not call {host}. Remove the invocation URL to call the deployment itself, or add the host to BLUE_FAAS_INVOKE_ALLOWED_HOSTS."
                ),
            ));
        }
        // A listed name must not lead to the cloud's metadata service; other private addresses are what such a list is for.
        let port = url.port_or_known_default().unwrap_or(80);
        let addresses =
            tokio::net::lookup_host((host.trim_start_matches('[').trim_end_matches(']'), port))
                .await;
        let is_link_local = |address: std::net::SocketAddr| match address.ip() {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => (ip.segments()[0] & 0xffc0) == 0xfe80,
        };
        if addresses.is_ok_and(|mut addresses| addresses.any(is_link_local)) {
            return Err(Error::validation(
                "invocationUrl",
                format!("{host} leads to a link-local address, which is never called."),
            ));
        }
        Ok(())
    }
}

/// The innermost cause, which names no URL and so no secret in one.
fn short_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string().chars().take(200).collect()
}

/// The URL with a path and query appended; `/` alone leaves it as it is.
pub(super) fn target(url: &str, path: &str, query: &str) -> Result<reqwest::Url> {
    let mut target = reqwest::Url::parse(url).map_err(|_| {
        Error::validation(
            "invocationUrl",
            "The function's invocation URL is not an address. Correct it in its settings.",
        )
    })?;
    if !path.is_empty() && path != "/" {
        let joined = format!(
            "{}/{}",
            target.path().trim_end_matches('/'),
            path.trim_start_matches('/')
        );
        target.set_path(&joined);
    }
    if !query.is_empty() {
        target.set_query(Some(query.trim_start_matches('?')));
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_are_called() {
        let policy = RemotePolicy {
            allowed_hosts: vec![
                "api.example.com".to_owned(),
                "*.svc.example".to_owned(),
                "localhost:9000".to_owned(),
            ],
        };
        let allows = |url: &str| policy.allows(&reqwest::Url::parse(url).expect("a URL"));
        assert!(
            allows("https://api.example.com/x")
                && allows("http://a.svc.example")
                && allows("http://localhost:9000/")
        );
        assert!(
            !allows("http://localhost:9001/")
                && !allows("http://svc.example")
                && !allows("http://api.example.com.evil.org")
                && !allows("http://127.0.0.1")
        );
    }
}
