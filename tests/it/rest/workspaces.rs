//! Workspaces: made, listed, changed, deleted.

use http::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace, text};

#[tokio::test]
async fn a_new_workspace_is_empty_and_listed() {
    let app = TestApp::start();
    let created = app
        .post(
            "/api/workspaces",
            &json!({"name": "  결제  ", "description": "Checkout"}),
        )
        .await
        .with_status(201);
    let id = text(&created, "id");
    assert!(
        id.strip_prefix("ws-")
            .is_some_and(|end| end.len() == 8 && end.chars().all(|c| c.is_ascii_alphanumeric())),
        "{id}"
    );
    assert!(text(&created, "createdAt").ends_with("+09:00"));
    assert_eq!(
        created,
        json!({
            "id": id, "name": "결제", "description": "Checkout", "createdAt": created["createdAt"],
            "functionCount": 0, "invocations24h": 0, "errorRate": 0.0,
        })
    );
    assert_eq!(
        app.get("/api/workspaces").await.with_status(200),
        json!([created])
    );
    let read = app.get(&format!("/api/workspaces/{id}")).await;
    assert_eq!(read.with_status(200), created);
}

#[tokio::test]
async fn a_name_must_be_there_and_fit() {
    let app = TestApp::start();
    let long = "가".repeat(65);
    for body in [
        json!({}),
        json!({"name": null}),
        json!({"name": " \t "}),
        json!({"name": 5}),
        json!({"name": "two\nlines"}),
        json!({"name": long}),
    ] {
        let refused = app.post("/api/workspaces", &body).await;
        assert_eq!(refused.refused_field(), "name", "{body}");
    }
    let long = "d".repeat(1_025);
    let refused = app
        .post(
            "/api/workspaces",
            &json!({"name": "Payments", "description": long}),
        )
        .await;
    assert_eq!(refused.refused_field(), "description");
    // Characters count, not bytes.
    let fits = json!({"name": "가".repeat(64), "description": "나".repeat(1_024)});
    app.post("/api/workspaces", &fits).await.with_status(201);
    let names = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(names.as_array().map(Vec::len), Some(1), "{names}");
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let app = TestApp::start();
    let workspace = a_workspace()
        .named("Payments")
        .described("Checkout")
        .create(&app)
        .await;
    let change = async |body: serde_json::Value| {
        let changed = app.patch(&workspace.path(), &body).await.with_status(200);
        assert_eq!(workspace.read(&app).await, changed);
        let listed = app.get("/api/workspaces").await.with_status(200);
        assert_eq!(listed, json!([changed]), "the list follows at once");
        changed
    };
    let renamed = change(json!({"name": "Refunds", "description": null})).await;
    assert_eq!(renamed["name"], "Refunds");
    assert_eq!(renamed["description"], "Checkout");
    let described = change(json!({"description": "Settlement"})).await;
    assert_eq!(described["name"], "Refunds");
    assert_eq!(described["description"], "Settlement");
    let cleared = change(json!({"description": ""})).await;
    assert_eq!(cleared["name"], "Refunds");
    assert_eq!(cleared.get("description"), None);
    let blank = app.patch(&workspace.path(), &json!({"name": ""})).await;
    assert_eq!(blank.refused_field(), "name");
}

#[tokio::test]
async fn a_change_on_top_of_an_unseen_one_is_refused() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let save = async |name: &str, tag: &str| {
        let request = app
            .request(Method::PATCH, &workspace.path())
            .header("if-match", tag.as_bytes())
            .json(&json!({"name": name}));
        Answer::of(request).await
    };
    let seen = app.get(&workspace.path()).await.header("etag").to_owned();
    assert!(seen.starts_with('"') && seen.ends_with('"'), "{seen}");
    let saved = save("Mine", &seen).await;
    saved.with_status(200);
    assert_ne!(saved.header("etag"), seen);
    save("Theirs", &seen)
        .await
        .refused(412, "PRECONDITION_FAILED");
    assert_eq!(workspace.read(&app).await["name"], "Mine");
    save("Again", saved.header("etag")).await.with_status(200);
    save("Any", "*").await.with_status(200);
    assert_eq!(workspace.read(&app).await["name"], "Any");
    let newest = app.get(&workspace.path()).await.header("etag").to_owned();
    let two_lines = app
        .request(Method::PATCH, &workspace.path())
        .header("if-match", &seen)
        .header("if-match", &newest)
        .json(&json!({"name": "Any"}));
    Answer::of(two_lines).await.with_status(200);
    save("Unread", "\"\u{e9}\"")
        .await
        .refused(412, "PRECONDITION_FAILED");
    assert_eq!(workspace.read(&app).await["name"], "Any");
}

#[tokio::test]
async fn only_what_was_seen_is_deleted() {
    let app = TestApp::start();
    let delete = async |path: &str, tag: &str| {
        let request = app.request(Method::DELETE, path);
        Answer::of(request.header("if-match", tag.as_bytes())).await
    };
    let created = app.post("/api/workspaces", &json!({"name": "A"})).await;
    let workspace = format!("/api/workspaces/{}", text(&created.with_status(201), "id"));
    assert_eq!(created.header("location"), workspace);
    let found = app.get(&workspace).await.header("etag").to_owned();
    assert_eq!(
        created.header("etag"),
        found,
        "what was made says what it is"
    );
    let functions = format!("{workspace}/functions");
    let function = app.post(&functions, &json!({"name": "F"})).await;
    let path = format!("{functions}/{}", text(&function.with_status(201), "id"));
    assert_eq!(function.header("location"), path);
    let found = app.get(&path).await.header("etag").to_owned();
    assert_eq!(function.header("etag"), found);
    for path in [&path, &workspace] {
        let seen = app.get(path).await.header("etag").to_owned();
        let saved = app.patch(path, &json!({"name": "B"})).await;
        saved.with_status(200);
        for tag in [&seen, "\"\u{e9}\""] {
            let refused = delete(path, tag).await;
            refused.refused(412, "PRECONDITION_FAILED");
        }
        let still = app.get(path).await;
        assert_eq!(still.with_status(200)["name"], "B");
        let seen = still.header("etag").to_owned();
        delete(path, &seen).await.with_status(204);
        app.get(path).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn whatever_was_saved_meanwhile_any_change_passes_that_asks_for_none() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let path = workspace.path();
    let save = async |number: usize| {
        let request = app.request(Method::PATCH, &path).header("if-match", "*");
        let request = request.json(&json!({"name": format!("Name {number}")}));
        Answer::of(request).await.status
    };
    let saved = futures::future::join_all((0..16).map(save)).await;
    assert_eq!(saved, [200; 16]);
}

#[tokio::test]
async fn who_has_the_answer_already_is_told_so() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let ask = async |method: Method, path: &str, tag: &str| {
        let request = app.request(method, path);
        Answer::of(request.header("if-none-match", tag)).await
    };
    for path in [workspace.path(), function.path(), function.alias()] {
        let seen = app.get(&path).await.header("etag").to_owned();
        let others = format!("\"1\", W/{seen}");
        for tags in [seen.as_str(), "*", &others] {
            for method in [Method::GET, Method::HEAD] {
                let known = ask(method, &path, tags).await;
                assert_eq!(known.status, 304, "{path} {tags}");
                assert_eq!(known.header("etag"), seen);
                assert!(known.body.is_empty());
            }
        }
        let news = ask(Method::GET, &path, "\"1\"").await;
        assert_eq!(
            news.with_status(200)["id"],
            app.get(&path).await.json()["id"]
        );
        // By the path, since two of them are one function's, and a patch that
        // changes nothing is no news.
        let name = format!("Changed {}", path.len());
        app.patch(&path, &json!({"name": name}))
            .await
            .with_status(200);
        let news = ask(Method::GET, &path, &seen).await;
        assert_eq!(news.with_status(200)["name"], name);
    }
    // What nobody saved is news as well, and keeps nobody from saving.
    let seen = app.get(&workspace.path()).await.header("etag").to_owned();
    a_function().named("Second").create(&app, &workspace).await;
    let news = ask(Method::GET, &workspace.path(), &seen).await;
    assert_eq!(news.with_status(200)["functionCount"], 2);
    let save = app
        .request(Method::PATCH, &workspace.path())
        .header("if-match", &seen)
        .json(&json!({"name": "Mine"}));
    Answer::of(save).await.with_status(200);
}

#[tokio::test]
async fn functions_are_counted_as_they_come_and_go() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let first = a_function().create(&app, &workspace).await;
    a_function().named("Reject").create(&app, &workspace).await;
    assert_eq!(workspace.read(&app).await["functionCount"], 2);
    app.delete(&first.path()).await.with_status(204);
    assert_eq!(workspace.read(&app).await["functionCount"], 1);
    let listed = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(listed[0]["functionCount"], 1);
}

#[tokio::test]
async fn a_deleted_workspace_takes_everything_in_it_along() {
    let app = TestApp::start();
    let kept = a_workspace().named("Kept").create(&app).await;
    let deleted = a_workspace().named("Deleted").create(&app).await;
    let function = a_function().create(&app, &deleted).await;
    app.delete(&deleted.path()).await.with_status(204);
    for path in [
        deleted.path(),
        deleted.functions(),
        format!("{}/logs", deleted.path()),
        format!("/api/v1/workspaces/{}/tasks", deleted.id),
        function.path(),
        function.alias(),
        format!("{}/logs", function.alias()),
        format!("{}/loki-logs", function.alias()),
        format!("{}/metrics", function.alias()),
    ] {
        app.get(&path).await.refused(404, "NOT_FOUND");
    }
    let change = json!({"name": "Back"});
    app.patch(&deleted.path(), &change)
        .await
        .refused(404, "NOT_FOUND");
    app.post(&deleted.functions(), &a_function().request())
        .await
        .refused(404, "NOT_FOUND");
    app.delete(&deleted.path()).await.refused(404, "NOT_FOUND");
    let listed = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(listed, json!([kept.read(&app).await]));
}
