//! Who may speak to the console at all: the Host that it is known by, and no other site's pages.
//!
//! A browser sends `Sec-Fetch-Site` and, with every write, `Origin`. Functions answer on another port of the same site, so
//! "same-site" is not enough: their pages are strangers here.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, header};
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::error::{Error, ErrorKind};
use crate::rest::error::ErrorResponse;

/// What the console is known by.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Hosts besides loopback ones, in lower case, without port.
    pub hosts: Vec<String>,
    /// Origins of other sites that may call the API.
    pub origins: Vec<String>,
    /// No Host is refused: the server listens to others and was not told its own name.
    pub any_host: bool,
}

/// The host of an authority, without port and brackets, in lower case.
pub fn host_of(authority: &str) -> String {
    let authority = authority.trim().to_ascii_lowercase();
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default().to_owned();
    }
    authority.split(':').next().unwrap_or_default().to_owned()
}

pub fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl Guard {
    fn knows_host(&self, host: &str) -> bool {
        // Names below localhost are functions': a page there must not pass as the console.
        let is_function = host.ends_with(".localhost");
        self.any_host
            || (is_loopback(host) && !is_function)
            || self.hosts.iter().any(|known| known == host)
    }

    /// Whether a write comes from our own pages, from a listed origin, or from no browser.
    fn allows_write(&self, headers: &HeaderMap) -> bool {
        let site = headers
            .get("sec-fetch-site")
            .and_then(|value| value.to_str().ok());
        match (text(headers, header::ORIGIN), site) {
            (Some(origin), _) if self.origins.iter().any(|allowed| allowed == origin) => true,
            (Some(origin), site) => {
                let own = text(headers, header::HOST).unwrap_or_default();
                let authority = origin
                    .split_once("://")
                    .map_or("", |(_, authority)| authority);
                authority.eq_ignore_ascii_case(own) && matches!(site, None | Some("same-origin"))
            }
            (None, Some(site)) => matches!(site, "same-origin" | "none"),
            (None, None) => true,
        }
    }
}

pub async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let host = request
        .uri()
        .authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| text(request.headers(), header::HOST));
    if !host.is_some_and(|host| guard.knows_host(&host_of(host))) {
        let message = "This server is not known by that name. Use its own address, or set BLUE_FAAS_PUBLIC_URL to the one users reach it by.";
        return ErrorResponse(Error::new(ErrorKind::Forbidden, message).with_field("Host"))
            .into_response();
    }
    let writes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if writes && !guard.allows_write(request.headers()) {
        let message = "This change was asked for by another site's page. Make it in the console, or list the origin in CORS_ORIGINS.";
        return ErrorResponse(Error::new(ErrorKind::Forbidden, message).with_field("Origin"))
            .into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn another_port_of_the_same_host_is_a_stranger() {
        let guard = Guard::default();
        let own = [
            ("host", "127.0.0.1:3000"),
            ("origin", "http://127.0.0.1:3000"),
            ("sec-fetch-site", "same-origin"),
        ];
        assert!(guard.allows_write(&headers(&own)));
        let functions = [
            ("host", "127.0.0.1:3000"),
            ("origin", "http://127.0.0.1:3001"),
            ("sec-fetch-site", "same-site"),
        ];
        assert!(!guard.allows_write(&headers(&functions)));
        assert!(!guard.allows_write(&headers(&[
            ("host", "127.0.0.1:3000"),
            ("sec-fetch-site", "same-site")
        ])));
        assert!(!guard.allows_write(&headers(&[("host", "127.0.0.1:3000"), ("origin", "null")])));
    }

    #[test]
    fn programs_and_listed_origins_pass() {
        let guard = Guard {
            origins: vec!["http://localhost:5173".to_owned()],
            ..Guard::default()
        };
        assert!(guard.allows_write(&headers(&[("host", "127.0.0.1:3000")])));
        assert!(guard.allows_write(&headers(&[
            ("host", "127.0.0.1:3000"),
            ("origin", "http://localhost:5173"),
            ("sec-fetch-site", "cross-site")
        ])));
    }

    #[test]
    fn a_rebound_name_is_not_ours() {
        let guard = Guard {
            hosts: vec!["faas.example.com".to_owned()],
            ..Guard::default()
        };
        for ours in [
            "localhost:3000",
            "127.0.0.1",
            "[::1]:3000",
            "FaaS.example.com",
        ] {
            assert!(guard.knows_host(&host_of(ours)), "{ours}");
        }
        for not_ours in [
            "evil.example.com",
            "127.0.0.1.evil.org",
            "app.localhost:3000",
            "",
            "10.0.0.1",
        ] {
            assert!(!guard.knows_host(&host_of(not_ours)), "{not_ours}");
        }
    }
}
