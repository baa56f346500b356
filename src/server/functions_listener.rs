//! The functions listener: deployed functions, at an origin of their own (SPEC §9).

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Limited};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;

use super::config::ListenSettings;
use super::middleware::guard::{host_of, is_loopback};
use crate::model::deployment::AppName;
use crate::model::error::{Error, ErrorKind};
use crate::port::platform::BrokenOff;
use crate::rest::error::ErrorResponse;
use crate::service::invocations::{
    FunctionAnswer, FunctionRequest, Invocations, add_spin_headers, disabled, method_not_allowed,
    too_large,
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
    Router::new().fallback(handle).with_state(ListenerState {
        invocations,
        hosts: Arc::new(hosts),
    })
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
        Ok(answer) if answer.status().is_informational() => {
            Refusal::from(no_answer(answer.status())).into_response()
        }
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

fn to_response(answer: FunctionAnswer, is_head: bool) -> Response {
    let (status, headers, body) = match answer {
        FunctionAnswer::Whole(answer) => (answer.status, answer.headers, answer.body.into()),
        FunctionAnswer::Begun(begun) => {
            let body = pieces(begun.body, is_head || has_no_body(begun.status));
            (begun.status, begun.headers, body)
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    for hop_by_hop in [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    ] {
        headers.remove(hop_by_hop);
    }
    drop_console_cookies(headers, header::SET_COOKIE);
    response
}

/// HTTP announces an answer by such a status: sent as one, the connection would be of no use any more.
fn no_answer(status: StatusCode) -> Error {
    let text = format!(
        "The function answered with {}, which stands before an answer and is none. Answer with a status of 200 or above.",
        status.as_u16()
    );
    Error::new(ErrorKind::Upstream, text).with_operation("FUNCTION_ERROR")
}

/// What arrives of an answer. Of one that has no body nobody reads it, which must not be taken for a caller who left.
fn pieces(mut body: UnboundedReceiver<Result<Bytes, BrokenOff>>, is_unread: bool) -> Body {
    if is_unread {
        tokio::spawn(async move { while body.recv().await.is_some() {} });
        return Body::empty();
    }
    Body::from_stream(futures::stream::poll_fn(move |context| {
        body.poll_recv(context)
    }))
}

fn has_no_body(status: StatusCode) -> bool {
    matches!(status.as_u16(), 204 | 304)
}

/// Cookies are shared by all ports of a host: the console's own stay out of functions, and functions cannot set them.
fn drop_console_cookies(headers: &mut HeaderMap, name: header::HeaderName) {
    let is_ours = |cookie: &str| {
        cookie
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("blue_faas_")
    };
    let values: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
    if values.is_empty() {
        return;
    }
    headers.remove(&name);
    for value in values {
        let Ok(text) = value.to_str() else {
            headers.append(name.clone(), value);
            continue;
        };
        if name == header::SET_COOKIE {
            if !is_ours(text) {
                headers.append(name.clone(), value);
            }
            continue;
        }
        let kept: Vec<&str> = text
            .split(';')
            .map(str::trim)
            .filter(|cookie| !is_ours(cookie))
            .collect();
        if let Ok(value) = HeaderValue::from_str(&kept.join("; "))
            && !kept.is_empty()
        {
            headers.append(name.clone(), value);
        }
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

    #[test]
    fn the_consoles_cookies_stay_apart() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("a=1; blue_faas_theme=dark; b=2"),
        );
        drop_console_cookies(&mut headers, header::COOKIE);
        assert_eq!(headers.get(header::COOKIE).expect("kept"), "a=1; b=2");
        let mut headers = HeaderMap::new();
        headers.append(
            header::SET_COOKIE,
            HeaderValue::from_static("blue_faas_theme=evil"),
        );
        headers.append(header::SET_COOKIE, HeaderValue::from_static("own=1"));
        drop_console_cookies(&mut headers, header::SET_COOKIE);
        assert_eq!(
            headers
                .get_all(header::SET_COOKIE)
                .iter()
                .collect::<Vec<_>>(),
            ["own=1"]
        );
    }
}
