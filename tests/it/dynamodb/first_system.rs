//! A table that the first system filled: its records are read, become findable, and are changed like ours.

use serde_json::{Value, json};

use super::commands::Setting;
use crate::support::app::TestApp;
use crate::support::emulator::{Emulator, new_table_name, settings_at, store_at};

const WORKSPACE: &str = "/api/workspaces/my-workspace";
const DONE: &str = "550e8400-e29b-41d4-a716-446655440000";
const LEFT_BEHIND: &str = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

/// A table with the items of `tests/fixtures/first_system.json`.
async fn filled() -> (Emulator, String) {
    let (emulator, table) = (Emulator::dynoxide(), new_table_name());
    let created = store_at(&emulator.url(), &table).await.create_table().await;
    created.expect("a table");
    let items: Vec<Value> =
        serde_json::from_str(include_str!("../../fixtures/first_system.json")).expect("items");
    for item in items {
        let put = json!({"TableName": table, "Item": item});
        emulator.ask("PutItem", &put).await;
    }
    (emulator, table)
}

fn start(emulator: &Emulator, table: &str) -> TestApp {
    let mut settings = settings_at(&emulator.url(), table).to_vec();
    // What is years old stays.
    settings.push(("BLUE_FAAS_RETENTION_DAYS", "36500"));
    TestApp::start_with(settings.leak())
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|one| one["name"].as_str()).collect()
}

#[tokio::test]
async fn what_a_request_comes_upon_is_readable_and_findable_from_then_on() {
    let (emulator, table) = filled().await;
    let app = start(&emulator, &table);
    let listed = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(listed, json!([]), "nothing is looked for by scanning");
    app.get("/api/functions/fn-test-001")
        .await
        .refused(404, "NOT_FOUND");
    app.get(&format!("/api/v1/tasks/{DONE}"))
        .await
        .refused(404, "NOT_FOUND");

    let workspace = app.get(WORKSPACE).await.with_status(200);
    assert_eq!(workspace["name"], "Cards");
    assert_eq!(workspace["functionCount"], 2, "half a function is none");
    let listed = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(names(&listed), ["Cards"]);

    let functions = app
        .get(&format!("{WORKSPACE}/functions"))
        .await
        .with_status(200);
    assert_eq!(names(&functions), ["Approve", "Settle"]);
    let approve = app.get("/api/functions/fn-test-001").await.with_status(200);
    assert_eq!(approve["code"], "cHJpbnQoMSk=");
    assert_eq!(approve["memory"], 512);
    assert_eq!(approve["status"], "disabled");
    assert_eq!(approve["environmentVariables"]["STAGE"], "prod");
    assert_eq!(
        approve["invocations24h"], 0,
        "its counter never left the window"
    );
    let settle = app.get("/api/functions/fn-test-002").await.with_status(200);
    assert_eq!(settle["memory"], 1_024);
    assert_eq!(settle["status"], "active");
    assert_eq!(settle["lastModified"], "2025-12-08T08:30:00.123+09:00");

    let logs = app
        .get(&format!("{WORKSPACE}/functions/fn-test-001/logs"))
        .await;
    let logs = logs.with_status(200);
    assert_eq!(logs["total"], 2);
    assert_eq!(logs["logs"][0]["id"], "3f8c");
    assert_eq!(logs["logs"][0]["statusCode"], 500);
    assert_eq!(logs["logs"][0]["logs"], json!(["first", "second"]));
    assert_eq!(logs["logs"][1]["requestBody"], json!({"amount": 1000}));
    assert_eq!(logs["logs"][1]["status"], "success");

    let tasks = app
        .get("/api/v1/workspaces/my-workspace/tasks")
        .await
        .with_status(200);
    assert_eq!(tasks["count"], 2);
    assert_eq!(tasks["tasks"][0]["status"], "failed");
    assert_eq!(tasks["tasks"][1]["status"], "done");
    let named = format!("/api/v1/tasks/{DONE}?workspace_id=my-workspace");
    let task = app.get(&named).await.with_status(200);
    assert_eq!(
        task["result"]["image_uri"],
        "registry.example.com/approve:1"
    );
    app.get(&format!("/api/v1/tasks/{DONE}"))
        .await
        .with_status(200);
}

#[tokio::test]
async fn what_the_first_system_left_is_changed_and_deleted_like_ours() {
    let (emulator, table) = filled().await;
    let app = start(&emulator, &table);
    let function = format!("{WORKSPACE}/functions/fn-test-001");
    let changed = app
        .patch(&function, &json!({"name": "Approve 2", "status": "active"}))
        .await;
    let changed = changed.with_status(200);
    assert_eq!(changed["status"], "active");
    assert_eq!(changed["code"], "cHJpbnQoMSk=");
    let renamed = app.patch(WORKSPACE, &json!({"name": "Cards 2"})).await;
    assert_eq!(renamed.with_status(200)["name"], "Cards 2");
    let made = json!({"name": "New", "code": "cHJpbnQoMik="});
    app.post(&format!("{WORKSPACE}/functions"), &made)
        .await
        .with_status(201);
    assert_eq!(app.get(WORKSPACE).await.json()["functionCount"], 3);
    app.delete(&function).await.with_status(204);
    app.get(&function).await.refused(404, "NOT_FOUND");
    assert_eq!(app.get(WORKSPACE).await.json()["functionCount"], 2);
    app.delete(WORKSPACE).await.with_status(204);
    let listed = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(listed, json!([]));
    let scan = emulator.ask("Scan", &json!({"TableName": table})).await;
    assert_eq!(scan["Items"], json!([]), "nothing is left behind");
}

#[tokio::test]
async fn a_backfill_makes_all_of_it_findable_and_says_what_it_did() {
    let (emulator, table) = filled().await;
    let setting = Setting::of(emulator, table);
    let first = setting.said(&["table", "backfill"]);
    assert_eq!(
        first,
        "Read 8 items. Made findable: 1 workspaces, 2 functions, 2 tasks.\n\
         1 records cannot be read and stay as they are:\n\
         WS#my-workspace FN#fn-half-gone\n"
    );
    let again = setting.said(&["table", "backfill"]);
    assert!(
        again.contains("Made findable: 0 workspaces, 0 functions, 0 tasks."),
        "{again}"
    );
    let app = start(&setting.emulator, &setting.table);
    let listed = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(names(&listed), ["Cards"]);
    assert_eq!(listed[0]["functionCount"], 2);
    for path in ["/api/functions/fn-test-001", "/api/functions/fn-test-002"] {
        app.get(path).await.with_status(200);
    }
    for task in [DONE, LEFT_BEHIND] {
        app.get(&format!("/api/v1/tasks/{task}"))
            .await
            .with_status(200);
    }
}
