//! By HTTP/1.1, over connections that are kept.

mod arriving;
mod names;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, header};
use std::time::{Duration, Instant};

use self::arriving::Arriving;
use self::names::{GuardedNames, is_link_local};
use crate::adapter::http_client;
use crate::model::callable_hosts::is_cluster_service;
use crate::port::platform::{Call, CallFailure, Caller, Outcome, while_wanted};
use crate::port::remote::RemoteFunctions;

const CONNECT: Duration = Duration::from_secs(5);
/// What is behind an address closes connections that are idle for longer; using one at that moment fails a call.
const IDLE: Duration = Duration::from_secs(30);
/// Characters of a cause, which may be what a peer says.
const MAX_CAUSE: usize = 200;
/// Between tries to connect: an instance that is being replaced is taken off its service's list a moment after it stops to listen.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(400),
];

/// Headers that concern one connection, besides those that `connection` names.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

pub struct HttpFunctions {
    client: reqwest::Client,
}

impl HttpFunctions {
    /// `cluster_proxy` is an HTTP proxy that reaches the services of the cluster, for a server outside of it.
    pub fn new(cluster_proxy: Option<&str>) -> Result<Self, String> {
        let mut client = http_client::builder()
            .dns_resolver(GuardedNames)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE);
        if let Some(proxy) = cluster_proxy {
            let proxy = reqwest::Url::parse(proxy).map_err(|error| error.to_string())?;
            client = client.proxy(reqwest::Proxy::custom(move |url| {
                is_cluster_service(url.host_str()?).then(|| proxy.clone())
            }));
        }
        let client = client.build().map_err(|error| error.to_string())?;
        Ok(Self { client })
    }

    async fn send(&self, url: reqwest::Url, call: &Call) -> Result<reqwest::Response, CallFailure> {
        let begin = Instant::now();
        let mut headers = call.headers.clone();
        keep_end_to_end(&mut headers);
        // The client says how long the body is.
        headers.remove(header::CONTENT_LENGTH);
        let mut pauses = PAUSES.into_iter();
        loop {
            let left = call.timeout.saturating_sub(begin.elapsed());
            let request = self
                .client
                .request(call.method.clone(), url.clone())
                .headers(headers.clone())
                .body(call.body.clone())
                .timeout(left);
            let error = match request.send().await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            match pauses.next() {
                // Nothing was sent yet.
                Some(pause) if error.is_connect() && pause < left => {
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(failure(error)),
            }
        }
    }
}

#[async_trait]
impl RemoteFunctions for HttpFunctions {
    async fn call(&self, target: &http::Uri, call: &Call, caller: Option<Caller>) -> Outcome {
        let url = match reqwest::Url::parse(&target.to_string()) {
            Ok(url) if is_link_local(&url) => {
                return Outcome::failed(CallFailure::Unreachable(names::REFUSAL.to_owned()));
            }
            Ok(url) => url,
            Err(error) => {
                return Outcome::failed(CallFailure::Unreachable(error.to_string()));
            }
        };
        let on_begin = caller.as_ref().map(|caller| caller.on_begin.clone());
        let answer = async {
            match self.send(url, call).await {
                Ok(response) => Arriving::new(response, call, on_begin).outcome().await,
                Err(failure) => Outcome::failed(failure),
            }
        };
        let outcome = while_wanted(caller.as_ref(), answer).await;
        outcome.unwrap_or_else(|| Outcome::failed(CallFailure::CallerLeft { ran: true }))
    }
}

fn keep_end_to_end(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// A time-out of the connection alone means that nobody is there.
fn failure(error: reqwest::Error) -> CallFailure {
    if error.is_timeout() && !error.is_connect() {
        CallFailure::TimedOut
    } else {
        let cause = http_client::innermost(error);
        CallFailure::Unreachable(cause.chars().take(MAX_CAUSE).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn what_concerns_one_connection_is_not_passed_on() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Own"),
            ("x-own", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("host", "shop.example.com"),
            ("cookie", "a=1"),
        ] {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        keep_end_to_end(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cookie", "host"]);
    }
}
