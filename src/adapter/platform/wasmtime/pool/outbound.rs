//! HTTP requests of guests: only to hosts on the function's list, never by way of a name into this machine or its network.

use futures::TryFutureExt as _;
use http_body_util::{BodyDataStream, BodyExt as _};
use std::error::Error as StdError;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use super::addresses::{PrivateName, PublicNames, is_public};
use super::output::Output;
use super::settings::Settings;
use crate::model::function::OutboundHost;

/// Requests of one call at once.
const MAX_REQUESTS: usize = 32;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The connections of all guests. Made at the first request: the certificates it reads take memory that a server without outbound calls keeps free.
#[derive(Debug, Default)]
pub(super) struct OutboundClient(OnceLock<Option<reqwest::Client>>);

impl OutboundClient {
    fn get(&self) -> Option<&reqwest::Client> {
        self.0
            .get_or_init(|| {
                // An error means that a provider is installed already.
                let _ = rustls::crypto::ring::default_provider().install_default();
                reqwest::Client::builder()
                    .no_proxy()
                    .redirect(reqwest::redirect::Policy::none())
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

/// One call's right to send requests.
pub(super) struct Outbound {
    settings: Arc<Settings>,
    output: Output,
    client: Arc<OutboundClient>,
    deadline: Instant,
    slots: Arc<Semaphore>,
}

impl Outbound {
    pub fn new(
        settings: Arc<Settings>,
        output: Output,
        client: Arc<OutboundClient>,
        deadline: Instant,
    ) -> Self {
        Self {
            settings,
            output,
            client,
            deadline,
            slots: Arc::new(Semaphore::new(MAX_REQUESTS)),
        }
    }

    /// The request's address as it will be used, if the function may call it. The error is for the guest; the developer reads the note.
    fn admit(&self, uri: &http::Uri) -> Result<reqwest::Url> {
        // Parsed as the client will: `http://2130706433` and `http://127.1` are 127.0.0.1.
        let url =
            reqwest::Url::parse(&uri.to_string()).map_err(|_| Error::HttpRequestUriInvalid)?;
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(Error::HttpRequestUriInvalid);
        };
        let scheme = url.scheme();
        let listed = self
            .settings
            .hosts
            .iter()
            .any(|allowed| allowed.allows(scheme, host, port));
        if !listed {
            self.output.note(&format!("Outbound request to {scheme}://{host}:{port} refused: the host is not among the function's allowedOutboundHosts. Add {scheme}://{host}:{port} there and deploy or save the settings."));
            return Err(Error::HttpRequestDenied);
        }
        let literal = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .ok();
        if literal.is_some_and(|address| !is_public(address))
            && !names_literally(&self.settings.hosts, host)
        {
            self.output.note(&format!("Outbound request to {host} refused: an address of a private network is reached only if allowedOutboundHosts names it itself, as in {scheme}://{host}:{port}; a wildcard does not."));
            return Err(Error::HttpRequestDenied);
        }
        Ok(url)
    }

    fn note_failure(output: &Output, host: &str, error: &reqwest::Error) -> Error {
        if sources(error).any(<dyn StdError>::is::<PrivateName>) {
            output.note(&format!("Outbound request to {host} refused: the name leads into a private network. List the address itself in allowedOutboundHosts if that is meant."));
            return Error::DestinationIpProhibited;
        }
        let cause = sources(error)
            .last()
            .map_or_else(|| error.to_string(), ToString::to_string);
        output.note(&format!("Outbound request to {host} failed: {cause}"));
        if error.is_timeout() {
            Error::ConnectionTimeout
        } else if error.is_connect() {
            Error::DestinationUnavailable
        } else {
            Error::InternalError(Some(cause))
        }
    }
}

type Sent = (
    http::Response<WasiBody>,
    Box<dyn Future<Output = Result<()>> + Send>,
);

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent>> + Send> {
        let admitted = self.admit(request.uri()).and_then(|url| {
            let slot = self
                .slots
                .clone()
                .try_acquire_owned()
                .map_err(|_| Error::ConnectionLimitReached)?;
            Ok((url, slot))
        });
        let (client, output) = (self.client.clone(), self.output.clone());
        let rest = self.deadline.saturating_duration_since(Instant::now());
        Box::new(async move {
            let (url, slot) = admitted?;
            let Some(client) = client.get() else {
                output.note(
                    "Outbound requests are not possible: the server cannot read its certificates.",
                );
                return Err(Error::ConfigurationError);
            };
            let host = url.host_str().unwrap_or_default().to_owned();
            let first_byte = options
                .and_then(|options| options.first_byte_timeout)
                .unwrap_or(rest)
                .min(rest);
            let sending = client
                .execute(convert(request, url, rest))
                .map_err(|error| Self::note_failure(&output, &host, &error));
            let response = tokio::time::timeout(first_byte, sending)
                .await
                .map_err(|_| Error::ConnectionReadTimeout)??;
            let done: Box<dyn Future<Output = Result<()>> + Send> =
                Box::new(std::future::ready(Ok(())));
            Ok((
                http::Response::from(response).map(|body| held(body, slot)),
                done,
            ))
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        // The Python SDK writes 4 KiB at a time; each write beyond the buffer is a switch between guest and reader.
        16
    }
}

fn convert(
    request: http::Request<WasiBody>,
    url: reqwest::Url,
    timeout: Duration,
) -> reqwest::Request {
    let (parts, body) = request.into_parts();
    let mut sent = reqwest::Request::new(parts.method, url);
    *sent.headers_mut() = parts.headers;
    // The client sets it from the URL.
    sent.headers_mut().remove(http::header::HOST);
    *sent.timeout_mut() = Some(timeout);
    *sent.body_mut() = Some(reqwest::Body::wrap_stream(BodyDataStream::new(body)));
    sent
}

/// The answer's body, which keeps its request counted until it is read.
fn held(body: reqwest::Body, slot: OwnedSemaphorePermit) -> WasiBody {
    let body = body.map_err(|error| {
        if error.is_timeout() {
            Error::HttpResponseTimeout
        } else {
            Error::InternalError(Some(error.to_string()))
        }
    });
    body.map_frame(move |frame| {
        let _held = &slot;
        frame
    })
    .boxed_unsync()
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
    use crate::model::version::Configuration;

    fn outbound(hosts: &[&str]) -> Outbound {
        let allowed_outbound_hosts = hosts
            .iter()
            .map(|host| OutboundHost::parse(host).expect("valid"))
            .collect();
        let settings = Settings::new(
            &Configuration {
                allowed_outbound_hosts,
                ..Configuration::default()
            },
            String::new(),
        );
        Outbound::new(
            Arc::new(settings),
            Output::default(),
            Arc::default(),
            Instant::now(),
        )
    }

    fn admits(hosts: &[&str], uri: &'static str) -> bool {
        outbound(hosts).admit(&http::Uri::from_static(uri)).is_ok()
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
        let outbound = outbound(&[]);
        assert!(
            outbound
                .admit(&http::Uri::from_static("https://example.com/"))
                .is_err()
        );
        let (lines, _) = outbound.output.take();
        assert!(
            lines[0].1.contains("https://example.com:443")
                && lines[0].1.contains("allowedOutboundHosts"),
            "{lines:?}"
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
