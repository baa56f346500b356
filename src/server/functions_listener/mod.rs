//! The functions listener: deployed functions, at an origin of their own (SPEC §9).

mod answer;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderValue, Method, Uri, header};
use http_body_util::{BodyExt as _, Limited};
use std::net::SocketAddr;
use std::sync::Arc;

use self::answer::{drop_console_cookies, to_response};
use super::config::ListenSettings;
use super::middleware::guard::{host_of, is_loopback};
use super::middleware::request::{self, Listener};
use crate::model::deployment::AppName;
use crate::model::error::{Error, ErrorKind};
use crate::rest::error::ErrorResponse;
use crate::service::invocations::{
    FunctionRequest, Invocations, add_spin_headers, disabled, method_not_allowed, too_large,
};

/// Names by which functions are reached.
#[derive(Clone, Debug)]
struct Hosts {
    /// As in `.fn.example.com` for `https://{app}.fn.example.com`.
    suffix: Option<String>,
    /// Hosts besides loopback ones under which functions are paths.
    known: Vec<String>,
    any_host: bool,
    scheme: &'static str,
}

#[derive(Clone)]
struct ListenerState {
    invocations: Arc<Invocations>,
    hosts: Arc<Hosts>,
}

pub fn router(invocations: Arc<Invocations>, listen: &ListenSettings) -> Router {
    let public = listen
        .functions_url
        .as_deref()
        .and_then(|url| url.split_once("://"));
    let authority = public.map(|(_, rest)| rest.split('/').next().unwrap_or_default().to_owned());
    let hosts = Hosts {
        suffix: authority
            .as_deref()
            .and_then(|authority| authority.strip_prefix("{app}"))
            .map(host_of_suffix),
        known: authority
            .iter()
            .filter(|authority| !authority.contains("{app}"))
            .map(|authority| host_of(authority))
            .collect(),
        any_host: listen.insecure && public.is_none() && !listen.functions.ip().is_loopback(),
        scheme: if public.is_some_and(|(scheme, _)| scheme == "https") {
            "https"
        } else {
            "http"
        },
    };
    let state = ListenerState {
        invocations,
        hosts: Arc::new(hosts),
    };
    Router::new()
        .fallback(handle)
        .with_state(state)
        .layer(from_fn_with_state(Listener::Functions, request::observe))
}

fn host_of_suffix(suffix: &str) -> String {
    suffix
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

async fn handle(
    State(state): State<ListenerState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    match answer(&state, peer, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

struct Refusal {
    error: Error,
    allow: Option<String>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, allow: None }
    }
}

impl Refusal {
    fn into_response(self) -> Response {
        let mut response = ErrorResponse(self.error).into_response();
        if let Some(allow) = self
            .allow
            .and_then(|allow| HeaderValue::from_str(&allow).ok())
        {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

/// Which app is meant, the path it sees, and the base that was cut off.
struct Target {
    app: AppName,
    path_and_query: String,
    base: String,
}

impl Hosts {
    fn target(&self, host: &str, uri: &Uri) -> Result<Target, Error> {
        let unknown = || {
            Error::new(
                ErrorKind::NotFound,
                "No function answers here. Its address is this server's address with the app name as the first part of the path.",
            )
        };
        let by_host = host
            .strip_suffix(".localhost")
            .or_else(|| host.strip_suffix(self.suffix.as_deref()?));
        let query = uri
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        if let Some(app) = by_host {
            return Ok(Target {
                app: AppName::parse(app).map_err(|_| unknown())?,
                path_and_query: format!("{}{query}", uri.path()),
                base: "/".to_owned(),
            });
        }
        if !self.any_host && !is_loopback(host) && !self.known.iter().any(|known| known == host) {
            return Err(Error::new(ErrorKind::Forbidden, "This server is not known by that name. Use its own address, or set BLUE_FAAS_FUNCTIONS_URL to the one users reach it by.").with_field("Host"));
        }
        let path = uri.path().trim_start_matches('/');
        let (app, rest) = path.split_once('/').unwrap_or((path, ""));
        Ok(Target {
            app: AppName::parse(app).map_err(|_| unknown())?,
            path_and_query: format!("/{rest}{query}"),
            base: format!("/{app}"),
        })
    }
}

async fn answer(
    state: &ListenerState,
    peer: SocketAddr,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let authority = parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let target = state.hosts.target(&host_of(&authority), &parts.uri)?;
    let route = state.invocations.route(&target.app);
    let route = route.filter(|route| !route.is_canary).ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!(
                "No function is deployed as {}. Check the name, or deploy it.",
                target.app
            ),
        )
    })?;
    if route.disabled {
        // SPEC §9: for callers of its URL a disabled function is out of service; the API's own answer is a conflict.
        let out_of_service = Error::new(ErrorKind::Overloaded, disabled().message);
        return Err(out_of_service.with_operation("FUNCTION_DISABLED").into());
    }
    if !route
        .configuration
        .http_methods
        .allow(parts.method.as_str())
    {
        return Err(Refusal {
            error: method_not_allowed(&route),
            allow: Some(route.configuration.http_methods.joined()),
        });
    }
    let body = read_body(body, state.invocations.max_body()).await?;
    let uri: Uri = format!(
        "{}://{authority}{}",
        state.hosts.scheme, target.path_and_query
    )
    .parse()
    .map_err(|_| {
        Error::new(
            ErrorKind::Validation,
            "This address cannot be read. Percent-encode what is not a plain character.",
        )
        .with_field("path")
    })?;
    let mut headers = parts.headers;
    drop_console_cookies(&mut headers, header::COOKIE);
    add_spin_headers(&mut headers, &uri, &target.base, &peer.to_string());
    let is_head = parts.method == Method::HEAD;
    let answered = state
        .invocations
        .call(
            &route,
            FunctionRequest {
                method: parts.method,
                uri,
                headers,
                body,
            },
        )
        .await;
    let mut response = match answered.result {
        Ok(answer) => to_response(answer, is_head),
        Err(error) => Refusal::from(error).into_response(),
    };
    if let Some(version) = answered.version {
        response.headers_mut().insert(
            http::HeaderName::from_static("x-blue-version"),
            HeaderValue::from(version),
        );
    }
    Ok(response)
}

async fn read_body(body: Body, limit: usize) -> Result<Bytes, Error> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error)
            if error
                .downcast_ref::<http_body_util::LengthLimitError>()
                .is_some() =>
        {
            Err(too_large(limit))
        }
        Err(_) => Err(
            Error::new(ErrorKind::Validation, "The body broke off. Send it whole.")
                .with_field("body"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        Hosts {
            suffix: Some(".fn.example.com".to_owned()),
            known: vec!["faas.example.com".to_owned()],
            any_host: false,
            scheme: "http",
        }
    }

    #[test]
    fn an_app_is_named_by_path_or_by_host() {
        let target = |host: &str, uri: &str| hosts().target(host, &uri.parse().expect("a URI"));
        let by_path = target("127.0.0.1", "/hello/a/b?c=d").expect("known");
        assert_eq!(
            (
                by_path.app.as_str(),
                by_path.path_and_query.as_str(),
                by_path.base.as_str()
            ),
            ("hello", "/a/b?c=d", "/hello")
        );
        let bare = target("localhost", "/hello").expect("known");
        assert_eq!(
            (bare.app.as_str(), bare.path_and_query.as_str()),
            ("hello", "/")
        );
        let by_host = target("hello.localhost", "/a").expect("known");
        assert_eq!(
            (
                by_host.app.as_str(),
                by_host.path_and_query.as_str(),
                by_host.base.as_str()
            ),
            ("hello", "/a", "/")
        );
        assert_eq!(
            target("hello.fn.example.com", "/")
                .expect("known")
                .app
                .as_str(),
            "hello"
        );
        assert_eq!(
            target("faas.example.com", "/hello/")
                .expect("known")
                .app
                .as_str(),
            "hello"
        );
        assert!(
            target("evil.org", "/hello").is_err_and(|error| error.kind == ErrorKind::Forbidden)
        );
        assert!(target("localhost", "/../x").is_err());
    }
}
