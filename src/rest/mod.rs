//! The REST API (SPEC §3): a file per noun. A handler extracts, calls the service, maps.

mod answers;
mod builds;
mod canary;
mod deployments;
pub mod error;
mod executions;
mod extract;
mod functions;
mod health;
mod observe;
mod replays;
mod spin_apps;
mod upload;
mod versions;
mod workspaces;

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse as _;
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use std::sync::Arc;
use tower_http::cors::CorsLayer;

use crate::model::error::{Error, ErrorKind};
use crate::server::console::ConsoleState;
use answers::Answers;
use error::ErrorResponse;

/// `max_upload` is in bytes.
pub fn router(max_upload: usize, cors: &CorsLayer) -> Router<ConsoleState> {
    let uploads = DefaultBodyLimit::max(max_upload + 64 * 1024);
    let workspaces = Router::new()
        .route("/", post(workspaces::create).get(workspaces::list))
        .route(
            "/{ws}",
            get(workspaces::read)
                .patch(workspaces::update)
                .delete(workspaces::delete),
        )
        .route("/{ws}/logs", get(executions::list_of_workspace))
        .route("/{ws}/export", get(spin_apps::export_workspace))
        .route(
            "/{ws}/import",
            post(spin_apps::import_workspace).layer(uploads),
        )
        .route(
            "/{ws}/functions/import",
            post(spin_apps::import_function).layer(uploads),
        )
        .route(
            "/{ws}/functions/{fn}/export",
            get(spin_apps::export_function),
        )
        .route(
            "/{ws}/functions",
            post(functions::create).get(functions::list),
        )
        .route(
            "/{ws}/functions/{fn}",
            get(functions::read)
                .patch(functions::update)
                .delete(functions::delete),
        )
        .route(
            "/{ws}/functions/{fn}/source",
            get(functions::download_source)
                .put(functions::replace_source)
                .layer(uploads),
        )
        .route("/{ws}/functions/{fn}/invoke", post(executions::invoke))
        .route("/{ws}/functions/{fn}/test", post(executions::test))
        .route(
            "/{ws}/functions/{fn}/draft",
            post(executions::draft).layer(uploads),
        )
        .route(
            "/{ws}/functions/{fn}/executions/{id}/replay",
            post(replays::replay).layer(uploads),
        )
        .route(
            "/{ws}/functions/{fn}/check",
            post(replays::check).layer(uploads),
        )
        .route("/{ws}/functions/{fn}/timings", get(observe::timings))
        .route("/{ws}/functions/{fn}/logs", get(executions::list));
    let functions = Router::new()
        .route(
            "/{fn}",
            get(functions::read_by_id)
                .patch(functions::update_by_id)
                .delete(functions::delete_by_id),
        )
        .route("/{fn}/logs", get(executions::list_by_id))
        .route("/{fn}/loki-logs", get(observe::lines))
        .route("/{fn}/metrics", get(observe::metrics));
    let v1 = Router::new()
        .route("/build", post(builds::build).layer(uploads))
        .route(
            "/build-and-push",
            post(builds::build_and_push).layer(uploads),
        )
        .route("/push", post(builds::push))
        .route("/tasks/{id}", get(builds::read))
        .route("/tasks/{id}/log", get(builds::log))
        .route("/tasks/{id}/cancel", post(builds::cancel))
        .route("/tasks/{id}/retry", post(builds::retry))
        .route("/workspaces/{ws}/tasks", get(builds::list))
        .route("/scaffold", post(deployments::scaffold))
        .route("/deploy", post(deployments::deploy))
        .nest("/functions/{fn}/versions", versions::router())
        .nest("/functions/{fn}/canary", canary::router())
        .route("/functions/{fn}/deployments", get(deployments::list))
        .route("/deployments/{id}/redeploy", post(deployments::redeploy));
    let api = Router::new()
        .nest("/api/workspaces", workspaces)
        .nest("/api/functions", functions)
        .nest("/api/v1", v1)
        .route("/api", any(no_such_path))
        .route("/api/{*rest}", any(no_such_path))
        .method_not_allowed_fallback(wrong_method)
        .layer(Extension(Arc::new(Answers::default())))
        .layer(cors.clone());
    Router::new()
        .merge(api)
        .route("/health", get(health::health))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
}

async fn no_such_path() -> axum::response::Response {
    ErrorResponse(Error::new(ErrorKind::NotFound, "There is nothing at this path. The API begins with /api/workspaces, /api/functions and /api/v1.")).into_response()
}

async fn wrong_method() -> axum::response::Response {
    ErrorResponse(Error::new(
        ErrorKind::MethodNotAllowed,
        "This path does not take this method. The Allow header names those it takes.",
    ))
    .into_response()
}
