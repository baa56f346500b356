//! Functions: made, validated, listed, read under each of their paths, their source replaced.

use http::Method;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace, base64, text};

const HELLO: &str = include_str!("../../fixtures/hello.py");

#[tokio::test]
async fn a_function_with_a_name_alone_has_the_defaults() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let created = app
        .post(&workspace.functions(), &json!({"name": "Approve"}))
        .await
        .with_status(201);
    assert!(text(&created, "id").starts_with("fn-"));
    assert!(text(&created, "lastModified").ends_with("+09:00"));
    assert_eq!(
        created,
        json!({
            "id": created["id"], "workspaceId": workspace.id, "name": "Approve", "runtime": "Python 3.12", "memory": 256, "timeout": 30,
            "httpMethods": ["GET"], "environmentVariables": {}, "code": "", "invocationUrl": null, "status": "active",
            "lastModified": created["lastModified"], "lastDeployed": null, "invocations24h": 0, "errors24h": 0, "avgDuration": 0.0,
            "allowedOutboundHosts": [], "instanceReuse": "none", "undeployedChanges": false, "deployOnSave": false, "source": created["source"],
        })
    );
    assert_eq!(created["source"]["kind"], "file");
    assert_eq!(created["source"]["files"], 1);
}

#[tokio::test]
async fn what_a_function_is_given_it_keeps() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let given = json!({
        "name": "승인", "description": "Approves payments", "runtime": "Python 3.12", "memory": 1024, "timeout": 900,
        "httpMethods": ["POST", "PUT"], "environmentVariables": {"LEVEL": "3", "_EMPTY": ""}, "code": base64(HELLO),
        "invocationUrl": "https://functions.example.com/approve", "allowedOutboundHosts": ["https://*.example.com:8443"],
        "instanceReuse": {"perSlot": {"maxRequests": 100, "maxAge": 60}},
    });
    let created = app
        .post(&workspace.functions(), &given)
        .await
        .with_status(201);
    for (field, value) in given.as_object().expect("an object") {
        assert_eq!(&created[field], value, "{field}");
    }
    assert_eq!(created["source"]["size"], HELLO.len());
    let path = format!("{}/{}", workspace.functions(), text(&created, "id"));
    assert_eq!(app.get(&path).await.with_status(200), created);
}

#[tokio::test]
async fn a_function_can_be_made_disabled_and_deployed_before() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let given =
        json!({"name": "Approve", "status": "disabled", "lastDeployed": "2025-12-07T03:00:00Z"});
    let created = app.post(&workspace.functions(), &given).await;
    let location = created.header("location").to_owned();
    let created = created.with_status(201);
    assert_eq!(created["status"], "disabled");
    assert_eq!(created["lastDeployed"], "2025-12-07T12:00:00+09:00");
    assert_eq!(app.get(&location).await.with_status(200), created);
    let invoked = app.post(&format!("{location}/invoke"), &json!({})).await;
    invoked.refused(409, "FUNCTION_DISABLED");
    let given = json!({"name": "Approve", "status": "active"});
    let created = app.post(&workspace.functions(), &given).await;
    assert_eq!(created.with_status(201)["status"], "active");
}

#[tokio::test]
async fn each_wrong_field_is_refused_by_its_name() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let existing = a_function().create(&app, &workspace).await;
    let before = existing.read(&app).await;
    let much: String = "x".repeat(64 * 1024);
    for (field, value) in [
        ("name", json!(" ")),
        ("name", json!("n".repeat(65))),
        ("description", json!("d".repeat(1_025))),
        ("description", json!(["a"])),
        ("runtime", json!("Go 1.23")),
        ("memory", json!(127)),
        ("memory", json!(1_025)),
        ("memory", json!(256.5)),
        ("memory", json!("256")),
        ("timeout", json!(0)),
        ("timeout", json!(901)),
        ("timeout", json!(-1)),
        ("httpMethods", json!([])),
        ("httpMethods", json!(["TRACE"])),
        ("httpMethods", json!("GET")),
        ("environmentVariables", json!({"1ST": "x"})),
        ("environmentVariables", json!({"A-B": "x"})),
        ("environmentVariables", json!({"A": 1})),
        ("environmentVariables", json!({"A": "nul\0"})),
        ("environmentVariables", json!({"A": much})),
        ("environmentVariables", json!(["A=1"])),
        ("allowedOutboundHosts", json!(["example.com"])),
        ("allowedOutboundHosts", json!("https://example.com")),
        ("instanceReuse", json!("always")),
        (
            "instanceReuse",
            json!({"perSlot": {"maxRequests": 0, "maxAge": 60}}),
        ),
        ("invocationUrl", json!("ftp://example.com")),
        ("invocationUrl", json!("//example.com/approve")),
        ("invocationUrl", json!("http:////example.com/approve")),
        ("invocationUrl", json!("\\\\example.com")),
        ("invocationUrl", json!("http://user:secret@example.com")),
        ("code", json!("not Base64!")),
        ("code", json!("/w==")),
        ("code", json!(base64(&"#".repeat(1024 * 1024 + 1)))),
        ("status", json!("failed")),
        ("status", json!("building")),
        ("lastDeployed", json!("2025-12-07")),
    ] {
        let new = a_function().with(field, value.clone()).request();
        let refused = app.post(&workspace.functions(), &new).await;
        assert_eq!(refused.refused_field(), field, "created with {value}");
        let refused = app.patch(&existing.path(), &json!({ field: value })).await;
        assert_eq!(refused.refused_field(), field, "changed to {value}");
    }
    assert_eq!(existing.read(&app).await, before);
    assert_eq!(workspace.read(&app).await["functionCount"], 1);
}

#[tokio::test]
async fn a_method_given_twice_counts_once() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with("httpMethods", json!(["get", "POST", "GET"]))
        .create(&app, &workspace)
        .await;
    assert_eq!(
        function.read(&app).await["httpMethods"],
        json!(["GET", "POST"])
    );
}

#[tokio::test]
async fn large_code_is_kept_whole() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    // Beyond what an item of the table holds, in characters of several bytes, up to the largest.
    for size in [32 * 1024 + 3, 400_000, 1024 * 1024] {
        let code: String = "# 함수\n".chars().cycle().take(size).collect();
        let mut end = code.len().min(size);
        while !code.is_char_boundary(end) {
            end -= 1;
        }
        let code = base64(&code[..end]);
        let function = a_function()
            .with("code", code.clone())
            .create(&app, &workspace)
            .await;
        let read = function.read(&app).await;
        assert!(read["code"] == code.as_str(), "{size} bytes are kept");
        app.patch(&function.path(), &json!({"code": base64(HELLO)}))
            .await
            .with_status(200);
        assert_eq!(function.read(&app).await["code"], base64(HELLO));
    }
}

#[tokio::test]
async fn a_summary_leaves_the_code_out() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    a_function().with_code(HELLO).create(&app, &workspace).await;
    let list = |query: &str| format!("{}{query}", workspace.functions());
    let full = app.get(&list("")).await.with_status(200);
    assert_eq!(full[0]["code"], base64(HELLO));
    let mut summary = app.get(&list("?fields=summary")).await.with_status(200);
    assert_eq!(summary[0].get("code"), None);
    summary[0]["code"] = full[0]["code"].clone();
    assert_eq!(summary, full);
    let refused = app.get(&list("?fields=code")).await;
    assert_eq!(refused.refused_field(), "fields");
}

#[tokio::test]
async fn a_function_is_the_same_without_its_workspace() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let tag = app.get(&function.path()).await.header("etag").to_owned();
    let by_alias = app.get(&function.alias()).await;
    assert_eq!(by_alias.header("etag"), tag);
    assert_eq!(by_alias.with_status(200), function.read(&app).await);
    let changed = app
        .patch(&function.alias(), &json!({"name": "Renamed"}))
        .await
        .with_status(200);
    assert_eq!(changed["name"], "Renamed");
    assert_eq!(function.read(&app).await, changed);
    let logs = app.get(&format!("{}/logs", function.alias())).await;
    assert_eq!(logs.with_status(200), json!({"logs": [], "total": 0}));
    app.delete(&function.alias()).await.with_status(204);
    app.get(&function.path()).await.refused(404, "NOT_FOUND");
    app.delete(&function.alias())
        .await
        .refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_function_is_not_found_in_another_workspace() {
    let app = TestApp::start();
    let own = a_workspace().create(&app).await;
    let other = a_workspace().named("Other").create(&app).await;
    let function = a_function().create(&app, &own).await;
    let elsewhere = format!("{}/{}", other.functions(), function.id);
    app.get(&elsewhere).await.refused(404, "NOT_FOUND");
    app.patch(&elsewhere, &json!({"name": "Taken"}))
        .await
        .refused(404, "NOT_FOUND");
    app.delete(&elsewhere).await.refused(404, "NOT_FOUND");
    assert_eq!(function.read(&app).await["name"], "Approve");
    assert_eq!(
        app.get(&other.functions()).await.with_status(200),
        json!([])
    );
}

#[tokio::test]
async fn a_source_is_replaced_by_an_upload_and_given_back() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with_code("# before\n")
        .create(&app, &workspace)
        .await;
    let source = format!("{}/source", function.path());
    let replaced = app
        .upload(Method::PUT, &source, ("app.py", HELLO), &[])
        .await
        .with_status(200);
    assert_eq!(replaced["code"], base64(HELLO));
    let download = app.get(&source).await;
    assert_eq!(download.text(), HELLO);
    let disposition = download.header("content-disposition");
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    let refused = app
        .upload(Method::PUT, &source, ("notes.txt", "text"), &[])
        .await;
    assert_eq!(refused.refused_field(), "file");
    let not_a_zip = app
        .upload(Method::PUT, &source, ("app.zip", "PK is not enough"), &[])
        .await;
    assert_eq!(not_a_zip.refused_field(), "file");
    assert_eq!(function.read(&app).await["code"], base64(HELLO));
}

#[tokio::test]
async fn functions_are_listed_with_their_own_settings() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    for name in ["One", "Two", "Three"] {
        a_function()
            .named(name)
            .with("memory", 512)
            .create(&app, &workspace)
            .await;
    }
    let listed = app.get(&workspace.functions()).await.with_status(200);
    let mut names: Vec<&str> = listed
        .as_array()
        .expect("a bare array")
        .iter()
        .filter(|function| function["memory"] == 512)
        .filter_map(|function| function["name"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["One", "Three", "Two"]);
}
