//! Who may ask at all, and what every answer carries.

use http::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::TestApp;

async fn create_with(app: &TestApp, headers: &[(&str, &str)]) -> Answer {
    let mut request = app
        .request(Method::POST, "/api/workspaces")
        .json(&json!({"name": "Payments"}));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn another_name_of_the_server_is_refused() {
    let app = TestApp::start();
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "hello.localhost",
        "10.0.0.1:3000",
    ] {
        for path in ["/api/workspaces", "/"] {
            let request = app.request(Method::GET, path).header("host", host);
            let refusal = Answer::of(request).await.refused(403, "FORBIDDEN");
            assert_eq!(refusal.field.as_deref(), Some("Host"), "{host}{path}");
        }
    }
    let own = app.console().replace("http://127.0.0.1", "localhost");
    let request = app
        .request(Method::GET, "/api/workspaces")
        .header("host", own);
    Answer::of(request).await.with_status(200);
}

#[tokio::test]
async fn a_change_that_another_sites_page_asks_for_is_refused() {
    let app = TestApp::start();
    let functions = app.functions();
    let foreign: [&[(&str, &str)]; 6] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", functions)],
        &[("origin", functions), ("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for headers in foreign {
        let refused = create_with(&app, headers).await;
        let refusal = refused.refused(403, "FORBIDDEN");
        assert_eq!(refusal.field.as_deref(), Some("Origin"), "{headers:?}");
    }
    let listed = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(listed, json!([]), "nothing was created");
}

#[tokio::test]
async fn a_change_from_our_own_page_or_from_a_program_passes() {
    let app = TestApp::start();
    let own = app.console();
    let passing: [&[(&str, &str)]; 4] = [
        &[],
        &[("origin", own), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        // A development server of the older console.
        &[
            ("origin", "http://localhost:5173"),
            ("sec-fetch-site", "cross-site"),
        ],
    ];
    for headers in passing {
        create_with(&app, headers).await.with_status(201);
    }
}

#[tokio::test]
async fn only_listed_origins_may_read_from_a_browser() {
    let app = TestApp::start();
    let allowed_for = async |origin: &str| {
        let request = app
            .request(Method::GET, "/api/workspaces")
            .header("origin", origin);
        Answer::of(request)
            .await
            .header("access-control-allow-origin")
            .to_owned()
    };
    assert_eq!(
        allowed_for("http://localhost:5173").await,
        "http://localhost:5173"
    );
    assert_eq!(allowed_for("https://evil.example").await, "");
    assert_eq!(allowed_for(app.functions()).await, "");
}

#[tokio::test]
async fn a_listed_origin_may_ask_with_credentials_and_its_headers() {
    let app = TestApp::start();
    let ask = async |origin: &str| {
        let request = app
            .request(Method::OPTIONS, "/api/workspaces")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "idempotency-key,if-match");
        Answer::of(request).await
    };
    let allowed = ask("http://localhost:5173").await;
    assert_eq!(allowed.status, 200);
    let header = |name: &str| allowed.header(name).to_ascii_lowercase();
    assert_eq!(
        header("access-control-allow-origin"),
        "http://localhost:5173"
    );
    assert_eq!(header("access-control-allow-credentials"), "true");
    for name in ["idempotency-key", "if-match", "content-type"] {
        assert!(
            header("access-control-allow-headers").contains(name),
            "{name}"
        );
    }
    let stranger = ask("https://evil.example").await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn options_names_what_a_path_takes_and_head_is_get_without_a_body() {
    let app = TestApp::start();
    for (path, allow) in [
        ("/api/workspaces", "GET,HEAD,POST"),
        ("/api/workspaces/ws-none", "GET,HEAD,PATCH,DELETE"),
        ("/api/v1/deploy", "POST"),
        ("/openapi.json", "GET,HEAD"),
    ] {
        let answer = Answer::of(app.request(Method::OPTIONS, path)).await;
        assert_eq!(answer.status, 204, "{path}");
        let mut named: Vec<&str> = answer.header("allow").split(',').collect();
        let mut taken: Vec<&str> = allow.split(',').collect();
        named.sort_unstable();
        taken.sort_unstable();
        assert_eq!(named, taken, "{path}");
    }
    let head = Answer::of(app.request(Method::HEAD, "/api/workspaces")).await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-type"), "application/json");
    assert!(head.body.is_empty());
    let missing = Answer::of(app.request(Method::HEAD, "/api/workspaces/ws-none")).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_long_answer_is_compressed_as_the_caller_likes() {
    let app = TestApp::start();
    for (accepted, encoding) in [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, br", "br"),
        ("identity", ""),
    ] {
        let request = app
            .request(Method::GET, "/openapi.json")
            .header("accept-encoding", accepted);
        let answer = Answer::of(request).await;
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let app = TestApp::start();
    for path in [
        "/",
        "/nothing",
        "/health",
        "/api/workspaces",
        "/api/nothing",
        "/pkg/nothing.js",
    ] {
        let answer = app.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_page_lets_only_its_own_scripts_run() {
    let app = TestApp::start();
    let nonce_of = async || {
        let page = app.get("/").await;
        let policy = page.header("content-security-policy").to_owned();
        let (_, rest) = policy
            .split_once("script-src 'nonce-")
            .unwrap_or_else(|| panic!("no nonce: {policy}"));
        let nonce = rest.split('\'').next().unwrap_or_default().to_owned();
        assert!(!policy.contains("script-src 'unsafe-inline'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(
            page.text().contains(&format!("nonce=\"{nonce}\"")),
            "the page's scripts carry the nonce"
        );
        nonce
    };
    assert_ne!(nonce_of().await, nonce_of().await);
}

#[tokio::test]
async fn a_request_id_comes_back_when_it_is_a_plain_one() {
    let app = TestApp::start();
    let id_for = async |given: &str| {
        let request = app
            .request(Method::GET, "/health")
            .header("x-request-id", given);
        Answer::of(request).await.header("x-request-id").to_owned()
    };
    assert_eq!(id_for("trace-1.a_B").await, "trace-1.a_B");
    for forged in ["a b", "a\"b", &"x".repeat(65)] {
        assert_ne!(id_for(forged).await, forged);
    }
}

#[tokio::test]
async fn health_names_each_dependency() {
    let app = TestApp::start();
    let healthy = json!({"status": "healthy"});
    assert_eq!(app.get("/health").await.with_status(200), healthy);
    assert_eq!(app.get("/health/live").await.with_status(200), healthy);
    let ready = app.get("/health/ready").await.with_status(200);
    assert_eq!(ready["status"], "ready");
    for name in ["store", "blobs", "builder", "platform"] {
        assert_eq!(ready["dependencies"][name], "ok", "{ready}");
    }
}

#[tokio::test]
async fn no_function_answers_before_one_is_deployed() {
    let app = TestApp::start();
    for path in ["/", "/a/b", "/api/workspaces"] {
        app.call("nobody", path).await.refused(404, "NOT_FOUND");
    }
    let root = Answer::of(app.function_request(Method::GET, "", "")).await;
    root.refused(404, "NOT_FOUND");
    let elsewhere = app
        .function_request(Method::GET, "nobody", "/")
        .header("host", "evil.example");
    Answer::of(elsewhere).await.refused(403, "FORBIDDEN");
}
