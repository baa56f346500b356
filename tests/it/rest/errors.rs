//! Every failure below `/api` is JSON that says what is wrong and what to do.

use http::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace};

#[tokio::test]
async fn a_path_that_there_is_not_is_a_json_404() {
    let app = TestApp::start();
    for path in [
        "/api",
        "/api/",
        "/api/v1/",
        "/api/nothing",
        "/api/v1/nothing",
        "/api/workspaces/ws-none/nothing",
        "/api/workspaces/ws-none",
        "/api/workspaces/ws-none/functions",
        "/api/workspaces/ws-none/logs",
        "/api/functions/fn-none",
        "/api/functions/fn-none/metrics",
        "/api/v1/functions/fn-none/versions",
        "/api/v1/functions/fn-none/versions/1",
        "/api/v1/functions/fn-none/versions/1/diff/2",
        "/api/v1/functions/fn-none/canary",
        "/api/v1/functions/fn-none/deployments",
    ] {
        app.get(path).await.refused(404, "NOT_FOUND");
    }
    let redeploy = app
        .post("/api/v1/deployments/none/redeploy", &json!({}))
        .await;
    redeploy.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_page_that_there_is_not_is_a_page() {
    let app = TestApp::start();
    let answer = app.get("/nothing").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_a_json_405_with_those_it_takes() {
    let app = TestApp::start();
    for (method, path, takes) in [
        (Method::PUT, "/api/workspaces", "POST"),
        (Method::POST, "/api/workspaces/ws-none", "PATCH"),
        (Method::DELETE, "/api/v1/tasks/none", "GET"),
        (Method::GET, "/api/v1/deploy", "POST"),
    ] {
        let refused = Answer::of(app.request(method, path)).await;
        refused.refused(405, "METHOD_NOT_ALLOWED");
        let allow = refused.header("allow");
        assert!(
            allow.split(',').any(|method| method.trim() == takes),
            "{path}: {allow}"
        );
    }
}

#[tokio::test]
async fn an_id_that_could_leave_its_place_is_refused() {
    let app = TestApp::start();
    for (path, field) in [
        ("/api/workspaces/a%20b", "workspace_id"),
        ("/api/workspaces/..%2Fetc", "workspace_id"),
        ("/api/workspaces/ws-1/functions/-a", "function_id"),
        ("/api/functions/a%23b", "function_id"),
        ("/api/functions/%22%7D%20or%20%7B/loki-logs", "function_id"),
        ("/api/v1/tasks/a%00b", "task_id"),
    ] {
        assert_eq!(app.get(path).await.refused_field(), field, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    for (method, path) in [
        (Method::POST, "/api/workspaces".to_owned()),
        (Method::PATCH, workspace.path()),
        (Method::POST, workspace.functions()),
        (Method::PATCH, function.path()),
        (Method::POST, format!("{}/test", function.path())),
        (Method::POST, "/api/v1/deploy".to_owned()),
        (Method::POST, "/api/v1/push".to_owned()),
        (Method::POST, "/api/v1/scaffold".to_owned()),
    ] {
        for body in ["", "{\"name\":", "[1]", "\"text\"", "{\"name\": 1e999}"] {
            let request = app
                .request(method.clone(), &path)
                .header("content-type", "application/json")
                .body(body);
            let refused = Answer::of(request).await;
            assert_eq!(refused.refused_field(), "body", "{method} {path} {body}");
        }
    }
    let invoke = app
        .request(Method::POST, &format!("{}/invoke", function.path()))
        .body("{bad");
    assert_eq!(Answer::of(invoke).await.refused_field(), "body");
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let app = TestApp::start();
    for (path, content_type) in [
        ("/api/workspaces", "text/plain"),
        ("/api/v1/scaffold", "multipart/form-data; boundary=x"),
    ] {
        let request = app
            .request(Method::POST, path)
            .header("content-type", content_type)
            .body("{\"name\": \"Payments\", \"image_ref\": \"a/b:c\"}");
        Answer::of(request)
            .await
            .refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let with_charset = app
        .request(Method::POST, "/api/workspaces")
        .header("content-type", "application/json; charset=utf-8")
        .body("{\"name\": \"Payments\"}");
    Answer::of(with_charset).await.with_status(201);
}

#[tokio::test]
async fn no_body_is_none_of_the_fields_where_all_are_optional() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let nobody = "executions/0198a1b2-0000-7000-8000-000000000000/replay";
    for action in ["check", nobody] {
        let path = format!("{}/{action}", function.path());
        let fields = app.post(&path, &json!({})).await;
        let nothing = Answer::of(app.request(Method::POST, &path)).await;
        let empty = app
            .request(Method::POST, &path)
            .header("content-type", "application/x-www-form-urlencoded");
        let null = app.request(Method::POST, &path).json(&json!(null));
        for answer in [nothing, Answer::of(empty).await, Answer::of(null).await] {
            assert_eq!(answer.status, fields.status, "{action}: {}", answer.text());
            assert_eq!(answer.body, fields.body, "{action}");
        }
        let broken = app.request(Method::POST, &path).body("{bad");
        assert_eq!(Answer::of(broken).await.refused_field(), "body", "{action}");
    }
}

/// As `curl -d` sends it, with which the first system's documents show how to deploy.
#[tokio::test]
async fn json_that_is_said_to_be_a_form_is_json() {
    let app = TestApp::start();
    let create = |body: &'static str| {
        app.request(Method::POST, "/api/workspaces")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    let made = Answer::of(create("{\"name\": \"Payments\"}")).await;
    assert_eq!(made.with_status(201)["name"], "Payments");
    let made = Answer::of(create("\n  {\"name\": \"Refunds\"}")).await;
    assert_eq!(made.with_status(201)["name"], "Refunds");
    let broken = Answer::of(create("{\"name\": ")).await;
    assert_eq!(broken.refused_field(), "body");
    for form in ["name=Payments", "", "[{}]", "%7B%22name%22:%22P%22%7D"] {
        let refused = Answer::of(create(form)).await;
        let refusal = refused.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        let cure = "-H 'content-type: application/json'";
        assert!(refusal.message.contains(cure), "{}", refusal.message);
    }
    // A page of another site can make a browser send such a form without asking first.
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let foreign = create("{\"name\": \"Theirs\"}").header(name, value);
        Answer::of(foreign).await.refused(403, "FORBIDDEN");
    }
    let all = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all}");
}

#[tokio::test]
async fn a_compressed_body_is_refused_by_the_name_of_its_coding() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let send = async |method: Method, path: &str, coding: &str| {
        let request = app
            .request(method, path)
            .header("content-type", "application/json")
            .header("content-encoding", coding)
            .body("{\"name\": \"Payments\"}");
        Answer::of(request).await
    };
    for (method, path) in [
        (Method::POST, "/api/workspaces"),
        (Method::PATCH, &workspace.path()),
        (Method::POST, "/api/v1/build"),
    ] {
        for coding in ["gzip", "identity, GZIP", "gzip,br"] {
            let refused = send(method.clone(), path, coding).await;
            let refusal = refused.refused(415, "UNSUPPORTED_MEDIA_TYPE");
            assert_eq!(refusal.field.as_deref(), Some("Content-Encoding"));
            let message = refusal.message.to_lowercase();
            assert!(message.contains("content-encoding: gzip"), "{message}");
            assert_eq!(refused.header("accept-encoding"), "identity");
        }
    }
    let plain = send(Method::POST, "/api/workspaces", "Identity").await;
    plain.with_status(201);
}

#[tokio::test]
async fn an_upload_that_is_no_form_is_refused() {
    let app = TestApp::start();
    for path in ["/api/v1/build", "/api/v1/build-and-push"] {
        let request = app.request(Method::POST, path).json(&json!({}));
        Answer::of(request)
            .await
            .refused(415, "UNSUPPORTED_MEDIA_TYPE");
        let broken = app
            .request(Method::POST, path)
            .header("content-type", "multipart/form-data; boundary=x")
            .body("--x\r\nno form");
        assert_eq!(Answer::of(broken).await.refused_field(), "body", "{path}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let app = TestApp::start();
    let large = json!({"name": "n".repeat(4 * 1024 * 1024)});
    let refused = app.post("/api/workspaces", &large).await;
    refused.refused(413, "PAYLOAD_TOO_LARGE");
    app.get("/health").await.with_status(200);
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_not_called() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    // The server itself, and what a cloud keeps for its machines.
    for address in [app.console(), "http://169.254.169.254/latest/meta-data"] {
        let function = a_function()
            .with("invocationUrl", address)
            .create(&app, &workspace)
            .await;
        let invoke = format!("{}/invoke", function.path());
        let refused = app.post(&invoke, &json!({})).await;
        assert_eq!(refused.refused_field(), "invocationUrl", "{address}");
    }
}
