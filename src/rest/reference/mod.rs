//! The API's reference: the OpenAPI document, pages that show it, and the guide. Their scripts are files of the site (`public/reference/`, from npm).

mod guide;

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};

/// Scripts of ours alone; both pages write styles as they run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const STYLE: &str = concat!(
    // Plain CSS.
    include_str!("../../../style/tokens.scss"),
    include_str!("style.css")
);

/// A page with the bar that leads to the others.
struct Page {
    path: &'static str,
    title: &'static str,
    head: &'static str,
    body: String,
}

/// `document` is the OpenAPI document, as JSON.
pub fn router<S: Clone + Send + Sync + 'static>(document: Bytes) -> Router<S> {
    let document = move || async move {
        (
            [(header::CONTENT_TYPE, "application/json")],
            document.clone(),
        )
    };
    let pages = [
        Page {
            path: "/guide",
            title: "Guide",
            head: "",
            body: guide::body(),
        },
        Page {
            path: "/docs",
            title: "Swagger UI",
            head: "<link rel=\"stylesheet\" href=\"/reference/swagger-ui.css\">",
            body: include_str!("docs.html").to_owned(),
        },
        Page {
            path: "/redoc",
            title: "ReDoc",
            head: "",
            body: include_str!("redoc.html").to_owned(),
        },
    ];
    let router = pages.into_iter().fold(Router::new(), |router, page| {
        let html = Bytes::from(page.html());
        router.route(page.path, get(async move || answer(html.clone())))
    });
    let scripts = "text/javascript; charset=utf-8";
    router
        .route("/openapi.json", get(document))
        .route("/docs/style.css", file("text/css; charset=utf-8", STYLE))
        .route("/docs/start.js", file(scripts, include_str!("docs.js")))
        .route("/redoc/start.js", file(scripts, include_str!("redoc.js")))
}

impl Page {
    fn html(&self) -> String {
        let link = format!("<a href=\"{}\"", self.path);
        include_str!("page.html")
            .replace("<!-- title -->", self.title)
            .replace("<!-- head -->", self.head)
            .replace(&link, &format!("{link} aria-current=\"page\""))
            .replace("<!-- body -->", &self.body)
    }
}

fn answer(html: Bytes) -> Response {
    let policy: [(HeaderName, HeaderValue); 1] = [(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    )];
    (policy, Html(html)).into_response()
}

fn file<S: Clone + Send + Sync + 'static>(
    content_type: &'static str,
    text: &'static str,
) -> axum::routing::MethodRouter<S> {
    get(async move || ([(header::CONTENT_TYPE, content_type)], text))
}
