//! The REST API (SPEC §3): a file per noun. A handler extracts, calls the service, maps.

mod accept;
mod answers;
mod builds;
mod canary;
mod completed;
mod conditional;
mod deployments;
mod description;
pub mod error;
mod executions;
mod extract;
mod functions;
mod health;
pub mod idempotency;
mod live;
mod observe;
mod reference;
mod replays;
mod sources;
mod spin_apps;
mod task_log;
mod upload;
mod versions;
mod workspaces;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Extension, Router};
use http::{Method, StatusCode, header};
use std::sync::Arc;
use tower::{Layer as _, ServiceExt as _};
use tower_http::cors::CorsLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::model::error::{Error, ErrorKind};
use crate::server::console::ConsoleState;
use crate::service::Services;
use answers::Answers;
use error::ErrorResponse;
use idempotency::Keyed;
use live::Streams;

/// Room for what a form has beside its file, in bytes.
const FORM: usize = 64 * 1024;

/// Bytes that JSON makes of one of a text's at most, as in `\u001f`. Base64 makes less.
const MAX_ESCAPE: usize = 6;

/// Of bodies that are longer than others, in bytes.
#[derive(Clone, Copy, Default)]
struct BodyLimits {
    upload: usize,
    invoke: usize,
    test: usize,
}

/// Characters of a coding's name that a refusal repeats.
const LONGEST_CODING: usize = 40;

/// What the API is given by the server.
pub struct ApiSettings {
    /// Bytes.
    pub max_upload: usize,
    /// Of a request to a function, in bytes.
    pub max_body: usize,
    pub cors: CorsLayer,
    /// Ends streams of events.
    pub stopping: tokio_util::sync::CancellationToken,
}

/// The API and its reference.
pub fn router(services: Services, settings: ApiSettings) -> Router<ConsoleState> {
    let limits = BodyLimits {
        upload: settings.max_upload + FORM,
        invoke: settings.max_body,
        test: settings
            .max_body
            .saturating_mul(MAX_ESCAPE)
            .saturating_add(FORM),
    };
    let (api, document) = described(limits);
    let document = document.to_json().unwrap_or_default();
    let max_body = limits.upload.max(limits.test);
    let keyed = Keyed { services, max_body };
    Router::new()
        .merge(api)
        .route("/api", any(no_such_path))
        // A wildcard needs something to stand for.
        .route("/api/", any(no_such_path))
        .route("/api/{*rest}", any(no_such_path))
        .merge(reference::router(document.into()))
        .method_not_allowed_fallback(wrong_method)
        .layer(Extension(Arc::new(Answers::default())))
        .layer(Extension(Streams::new(settings.stopping)))
        .layer(from_fn_with_state(keyed, idempotency::run_once))
        .layer(from_fn(refuse_codings))
        .layer(from_fn_with_state(settings.cors, answer_other_sites))
}

/// The OpenAPI document.
pub fn document() -> OpenApi {
    described(BodyLimits::default()).1
}

fn described(limits: BodyLimits) -> (Router<ConsoleState>, OpenApi) {
    let (router, document) = OpenApiRouter::new()
        .merge(workspaces_and_functions(limits))
        .merge(builds_and_deployments())
        .merge(uploads().layer(DefaultBodyLimit::max(limits.upload)))
        .routes(routes!(health::health))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .split_for_parts();
    (router, description::complete(document))
}

fn workspaces_and_functions(limits: BodyLimits) -> OpenApiRouter<ConsoleState> {
    OpenApiRouter::new()
        .routes(routes!(workspaces::list, workspaces::create))
        .routes(routes!(
            workspaces::read,
            workspaces::update,
            workspaces::delete
        ))
        .routes(routes!(functions::list, functions::create))
        .routes(routes!(
            functions::read,
            functions::update,
            functions::delete
        ))
        .routes(routes!(
            functions::read_by_id,
            functions::update_by_id,
            functions::delete_by_id
        ))
        .merge(calls(limits))
        .routes(routes!(executions::list))
        .routes(routes!(executions::read))
        .routes(routes!(executions::list_by_id))
        .routes(routes!(executions::list_of_workspace))
        .routes(routes!(observe::lines))
        .routes(routes!(observe::metrics))
        .routes(routes!(observe::timings))
        .routes(routes!(spin_apps::export_function))
        .routes(routes!(spin_apps::export_workspace))
}

fn builds_and_deployments() -> OpenApiRouter<ConsoleState> {
    OpenApiRouter::new()
        .routes(routes!(builds::push))
        .routes(routes!(builds::read))
        .routes(routes!(task_log::read))
        .routes(routes!(builds::cancel))
        .routes(routes!(builds::retry))
        .routes(routes!(builds::list))
        .routes(routes!(deployments::scaffold))
        .routes(routes!(deployments::deploy))
        .routes(routes!(deployments::redeploy))
        .routes(routes!(deployments::list))
        .routes(routes!(versions::list))
        .routes(routes!(versions::read, versions::update))
        .routes(routes!(versions::deploy))
        .routes(routes!(versions::diff))
        .routes(routes!(canary::read, canary::start, canary::end))
        .routes(routes!(canary::promote))
}

/// What takes bodies as long as an upload may be.
fn uploads() -> OpenApiRouter<ConsoleState> {
    OpenApiRouter::new()
        .routes(routes!(builds::build))
        .routes(routes!(builds::build_and_push))
        .routes(routes!(sources::download_source, sources::replace_source))
        .routes(routes!(executions::draft))
        .routes(routes!(replays::replay))
        .routes(routes!(replays::check))
        .routes(routes!(spin_apps::import_function))
        .routes(routes!(spin_apps::import_workspace))
}

/// What takes a function's request, so that the longest one fits.
fn calls(limits: BodyLimits) -> OpenApiRouter<ConsoleState> {
    let invoke = OpenApiRouter::new().routes(routes!(executions::invoke));
    let test = OpenApiRouter::new().routes(routes!(executions::test));
    invoke
        .layer(DefaultBodyLimit::max(limits.invoke))
        .merge(test.layer(DefaultBodyLimit::max(limits.test)))
}

/// CORS. An OPTIONS that is no preflight is for the path itself.
async fn answer_other_sites(
    State(cors): State<CorsLayer>,
    request: Request,
    next: Next,
) -> Response {
    let asks_first = request
        .headers()
        .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() == Method::OPTIONS && !asks_first {
        return next.run(request).await;
    }
    match cors.layer(next).oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Bodies are read as they come. A compressed one would be taken for what it is not.
async fn refuse_codings(request: Request, next: Next) -> Response {
    let codings = request.headers().get_all(header::CONTENT_ENCODING).iter();
    let coding = codings
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name.trim_ascii()))
        .find(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
    let Some(coding) = coding else {
        return next.run(request).await;
    };
    let coding: String = coding.chars().take(LONGEST_CODING).collect();
    let message = format!(
        "Send the body as it is, without content-encoding: {coding}. This server unpacks none."
    );
    let refused = Error::new(ErrorKind::UnsupportedMediaType, message);
    let taken = [(header::ACCEPT_ENCODING, "identity")];
    (taken, ErrorResponse(refused.with_field("Content-Encoding"))).into_response()
}

async fn no_such_path() -> Response {
    ErrorResponse(Error::new(ErrorKind::NotFound, "There is nothing at this path. The API begins with /api/workspaces, /api/functions and /api/v1.")).into_response()
}

/// The router adds `Allow`.
async fn wrong_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    ErrorResponse(Error::new(
        ErrorKind::MethodNotAllowed,
        "This path does not take this method. The Allow header names those it takes.",
    ))
    .into_response()
}
