//! Callers at the same time: nothing that was accepted is lost, nothing half is left.

use futures::future::{join, join_all};
use http::Method;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{Workspace, a_function, a_workspace, text};

async fn function_count(app: &TestApp, workspace: &Workspace) -> (Value, usize) {
    let listed = app.get(&workspace.functions()).await.with_status(200);
    let count = workspace.read(app).await["functionCount"].clone();
    (count, listed.as_array().map_or(0, Vec::len))
}

#[tokio::test]
async fn fifty_changes_of_a_function_at_the_same_time_all_land() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let descriptions: Vec<String> = (0..46).map(|n| format!("change {n}")).collect();
    let changes = descriptions
        .iter()
        .map(|description| json!({ "description": description }))
        .chain([
            json!({"name": "Renamed"}),
            json!({"memory": 512}),
            json!({"timeout": 77}),
            json!({"environmentVariables": {"A": "1"}}),
        ]);
    let path = function.path();
    let answers = join_all(changes.map(|change| {
        let (app, path) = (&app, &path);
        async move { app.patch(path, &change).await }
    }))
    .await;
    assert_eq!(answers.len(), 50);
    for answer in &answers {
        answer.with_status(200);
    }
    let read = function.read(&app).await;
    assert_eq!(read["name"], "Renamed");
    assert_eq!(read["memory"], 512);
    assert_eq!(read["timeout"], 77);
    assert_eq!(read["environmentVariables"], json!({"A": "1"}));
    assert!(descriptions.contains(&text(&read, "description")), "{read}");
}

#[tokio::test]
async fn changes_of_a_workspaces_name_and_description_do_not_undo_each_other() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let path = workspace.path();
    for round in 0..20 {
        let (name, description) = (format!("name {round}"), format!("text {round}"));
        let (renaming, describing) = (
            json!({ "name": name }),
            json!({ "description": description }),
        );
        let (renamed, described) =
            join(app.patch(&path, &renaming), app.patch(&path, &describing)).await;
        renamed.with_status(200);
        described.with_status(200);
        let read = workspace.read(&app).await;
        assert_eq!(read["name"], name, "round {round}");
        assert_eq!(read["description"], description, "round {round}");
    }
}

#[tokio::test]
async fn of_changes_on_top_of_the_same_state_one_wins() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    for path in [workspace.path(), function.path()] {
        let seen = app.get(&path).await.header("etag").to_owned();
        let answers = join_all((0..20).map(|n| {
            let request = app
                .request(Method::PATCH, &path)
                .header("if-match", &seen)
                .json(&json!({"name": format!("name {n}")}));
            Answer::of(request)
        }))
        .await;
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "{path}");
        for answer in lost {
            answer.refused(412, "PRECONDITION_FAILED");
        }
        let read = app.get(&path).await.with_status(200);
        assert_eq!(read["name"], won[0].json()["name"]);
    }
}

#[tokio::test]
async fn creating_in_a_workspace_that_is_being_deleted_leaves_nothing() {
    let app = TestApp::start();
    for _ in 0..3 {
        let workspace = a_workspace().create(&app).await;
        let (path, functions) = (workspace.path(), workspace.functions());
        let creations = join_all((0..20).map(|n| {
            let (app, functions) = (&app, &functions);
            async move {
                let new = a_function().named(&format!("function {n}")).request();
                app.post(functions, &new).await
            }
        }));
        let (created, deleted) = join(creations, app.delete(&path)).await;
        deleted.with_status(204);
        app.get(&path).await.refused(404, "NOT_FOUND");
        for answer in created {
            if answer.status == 201 {
                let id = text(&answer.json(), "id");
                let gone = app.get(&format!("/api/functions/{id}")).await;
                gone.refused(404, "NOT_FOUND");
            } else {
                answer.refused(404, "NOT_FOUND");
            }
        }
        let listed = app.get("/api/workspaces").await.with_status(200);
        assert_eq!(listed, json!([]));
    }
}

#[tokio::test]
async fn changing_a_function_that_is_being_deleted_leaves_no_half_item() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    for _ in 0..5 {
        let function = a_function().create(&app, &workspace).await;
        let path = function.path();
        let changes = join_all((0..10).map(|n| {
            let (app, path) = (&app, &path);
            async move { app.patch(path, &json!({"timeout": n + 1})).await }
        }));
        let (answers, removal) = join(changes, app.delete(&path)).await;
        removal.with_status(204);
        for answer in answers {
            if answer.status != 200 {
                answer.refused(404, "NOT_FOUND");
            }
        }
        app.get(&path).await.refused(404, "NOT_FOUND");
        assert_eq!(function_count(&app, &workspace).await, (json!(0), 0));
    }
}

#[tokio::test]
async fn a_function_that_two_callers_delete_is_uncounted_once() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    a_function().named("Kept").create(&app, &workspace).await;
    for _ in 0..5 {
        let function = a_function().create(&app, &workspace).await;
        let path = function.path();
        let answers = join_all((0..4).map(|_| app.delete(&path))).await;
        assert!(answers.iter().any(|answer| answer.status == 204));
        for answer in answers.iter().filter(|answer| answer.status != 204) {
            answer.refused(404, "NOT_FOUND");
        }
        assert_eq!(function_count(&app, &workspace).await, (json!(1), 1));
    }
}

#[tokio::test]
async fn functions_made_at_the_same_time_are_all_counted() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let functions = join_all((0..40).map(|_| a_function().create(&app, &workspace))).await;
    let mut ids: Vec<&str> = functions
        .iter()
        .map(|function| function.id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    assert_eq!(function_count(&app, &workspace).await, (json!(40), 40));
}
