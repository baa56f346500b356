//! The console's router: pages, server functions, the API and static files.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, StatusCode, header};
use leptos::config::LeptosOptions;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{LeptosRoutes as _, ResponseOptions, generate_route_list};
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::services::ServeDir;

use super::config::ListenSettings;
use super::middleware::guard::{Guard, host_of};
use super::middleware::request::{self, Listener};
use super::middleware::{guard, headers};
use crate::app::{App, shell};
use crate::port::trace::TRACEPARENT;
use crate::rest;
use crate::service::Services;
use crate::service::actor::Actor;

/// The one state of the console's handlers.
#[derive(Clone)]
pub struct ConsoleState {
    pub services: Services,
    pub options: LeptosOptions,
}

impl FromRef<ConsoleState> for Services {
    fn from_ref(state: &ConsoleState) -> Self {
        state.services.clone()
    }
}

impl FromRef<ConsoleState> for LeptosOptions {
    fn from_ref(state: &ConsoleState) -> Self {
        state.options.clone()
    }
}

/// Leptos's options for a built site. Files have hashed names when the build left `hash.txt` beside the executable.
pub fn leptos_options(site: &Path) -> LeptosOptions {
    let has_hashes = std::env::current_exe()
        .is_ok_and(|executable| executable.with_file_name("hash.txt").is_file());
    LeptosOptions::builder()
        .output_name("blue-faas")
        .site_root(site.to_string_lossy().into_owned())
        .hash_files(has_hashes)
        .build()
}

/// What every page and server function finds around it, and the policy that lets only our own scripts run.
fn provide(services: &Services) {
    provide_context(services.clone());
    provide_context(Actor::anonymous());
    if let (Some(response), Some(nonce)) =
        (use_context::<ResponseOptions>(), leptos::nonce::use_nonce())
    {
        let policy = format!(
            "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}

pub fn router(services: Services, listen: &ListenSettings, stopping: CancellationToken) -> Router {
    let options = leptos_options(&listen.site);
    let state = ConsoleState {
        services: services.clone(),
        options: options.clone(),
    };
    let api = rest::router(
        services.clone(),
        rest::ApiSettings {
            max_upload: listen.max_upload,
            max_body: listen.max_body,
            cors: cors(&listen.cors_origins),
            stopping,
        },
    );
    let context = move || provide(&services);
    let guard = Guard {
        hosts: listen
            .public_url
            .iter()
            .map(|url| {
                host_of(
                    url.split_once("://")
                        .map_or("", |(_, rest)| rest)
                        .split('/')
                        .next()
                        .unwrap_or_default(),
                )
            })
            .collect(),
        origins: listen.cors_origins.clone(),
        any_host: listen.insecure
            && listen.public_url.is_none()
            && !listen.console.ip().is_loopback(),
    };
    let pages = Router::new().leptos_routes_with_context(
        &state,
        generate_route_list(App),
        context.clone(),
        {
            let options = options.clone();
            move || shell(options.clone())
        },
    );
    let not_found =
        leptos_axum::file_and_error_handler_with_context::<ConsoleState, _>(context, shell);
    let files = ServeDir::new(listen.site.as_path())
        .precompressed_br()
        .precompressed_gzip();
    Router::new()
        .merge(api)
        .merge(pages)
        .route_service("/favicon.svg", files.clone())
        .nest_service(
            "/reference",
            ServeDir::new(listen.site.join("reference"))
                .precompressed_br()
                .precompressed_gzip(),
        )
        .nest_service(
            "/pkg",
            ServeDir::new(listen.site.join("pkg"))
                .precompressed_br()
                .precompressed_gzip(),
        )
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(4 * 1024 * 1024))
        .with_state(state)
        .layer(
            CompressionLayer::new()
                .br(true)
                .gzip(true)
                .quality(tower_http::CompressionLevel::Precise(4))
                .compress_when(
                    SizeAbove::new(1_024)
                        .and(NotForContentType::const_new("text/event-stream"))
                        .and(NotForContentType::IMAGES),
                ),
        )
        .layer(from_fn_with_state(Arc::new(guard), guard::check))
        .layer(from_fn(headers::set))
        .layer(from_fn(hide_panic))
        .layer(from_fn_with_state(Listener::Console, request::observe))
}

/// Other sites' pages that may call the API, with credentials.
fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok())
        .collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            header::ACCEPT,
            rest::idempotency::KEY,
            http::HeaderName::from_static("last-event-id"),
            request::REQUEST_ID,
            TRACEPARENT,
        ])
        .expose_headers([
            header::ETAG,
            header::LINK,
            header::LOCATION,
            header::RETRY_AFTER,
            header::CONTENT_DISPOSITION,
            rest::idempotency::REPLAYED,
            request::REQUEST_ID,
        ])
        .max_age(std::time::Duration::from_mins(10))
}

/// An answer without a body still says what went wrong.
async fn hide_panic(request: Request, next: axum::middleware::Next) -> Response {
    use futures::FutureExt as _;
    match std::panic::AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .await
    {
        Ok(response) => response,
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            rest::error::ErrorResponse(crate::service::table::internal(
                "INTERNAL_ERROR",
                "a handler panicked",
            )),
        )
            .into_response(),
    }
}
