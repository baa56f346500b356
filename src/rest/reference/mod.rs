//! The API's reference: the OpenAPI document, pages that show it, and the guide. Their scripts are files of the site (`public/reference/`, from npm).

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use pulldown_cmark::{Options, Parser, html};

/// Scripts of ours alone; both pages write styles as they run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// `document` is the OpenAPI document, as JSON.
pub fn router<S: Clone + Send + Sync + 'static>(document: Bytes) -> Router<S> {
    let document = move || async move {
        (
            [(header::CONTENT_TYPE, "application/json")],
            document.clone(),
        )
    };
    let guide = guide();
    Router::new()
        .route("/openapi.json", get(document))
        .route("/guide", get(move || async move { page(guide.clone()) }))
        .route("/docs", get(async || page(include_str!("docs.html"))))
        .route(
            "/docs/start.js",
            get(async || script(include_str!("docs.js"))),
        )
        .route("/redoc", get(async || page(include_str!("redoc.html"))))
        .route(
            "/redoc/start.js",
            get(async || script(include_str!("redoc.js"))),
        )
}

/// docs/API.md as a page.
fn guide() -> String {
    let text = include_str!("../../../docs/API.md");
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
    let mut body = String::new();
    html::push_html(&mut body, parser);
    include_str!("guide.html").replace("<!-- guide -->", &body)
}

fn page(html: impl Into<String>) -> Response {
    let policy: [(HeaderName, HeaderValue); 1] = [(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    )];
    (policy, Html(html.into())).into_response()
}

fn script(text: &'static str) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
        text,
    )
}
