//! The OpenAPI document and the pages that show it.

use crate::support::app::TestApp;

#[tokio::test]
async fn the_document_is_served_as_it_is_in_docs() {
    let app = TestApp::start();
    let answer = app.get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let written = std::fs::read(file).expect("docs/openapi.json");
    let written: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!(answer.with_status(200), written);
}

#[tokio::test]
async fn the_guide_is_a_page() {
    let app = TestApp::start();
    let page = app.get("/guide").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let text = page.text();
    for part in [
        "<h1 id=\"the-rest-api\">The REST API</h1>",
        "href=\"#a-journey\"",
        "<table>",
        "<a href=\"/guide\" aria-current=\"page\">",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.contains("<script"), "it needs none");
}

#[tokio::test]
async fn the_pages_load_scripts_of_ours_alone() {
    let app = TestApp::start();
    for path in ["/docs", "/redoc"] {
        let page = app.get(path).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let text = page.text();
        assert!(!text.contains("://"), "{path} names another server");
        assert!(!text.contains("<script>"), "{path} has an inline script");
        assert!(text.contains("/openapi.json"));
    }
    let style = app.get("/docs/style.css").await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(style.text().contains("--color-canvas:"));
    for path in ["/docs/start.js", "/redoc/start.js"] {
        let start = app.get(path).await;
        assert_eq!(start.status, 200);
        assert_eq!(
            start.header("content-type"),
            "text/javascript; charset=utf-8"
        );
    }
}
