//! Bare lists in parts: `limit`, `cursor`, `Link`.

use serde_json::Value;

use crate::support::app::TestApp;
use crate::support::builders::{Workspace, a_function, a_workspace, text};

/// The ids on all pages, with the sizes of these.
async fn pages(app: &TestApp, first: &str) -> (Vec<String>, Vec<usize>) {
    let (mut ids, mut sizes, mut next) = (Vec::new(), Vec::new(), Some(first.to_owned()));
    while let Some(path) = next {
        let answer = app.get(&path).await;
        let rows = answer.with_status(200);
        let rows = rows.as_array().expect("a bare list");
        sizes.push(rows.len());
        ids.extend(rows.iter().map(|row| text(row, "id")));
        let link = answer.header("link").strip_prefix('<');
        next = link.map(|link| {
            let (path, relation) = link.split_once('>').expect("an address");
            assert_eq!(relation, "; rel=\"next\"");
            path.to_owned()
        });
    }
    (ids, sizes)
}

fn ids(list: &Value) -> Vec<String> {
    let rows = list.as_array().expect("a bare list");
    rows.iter().map(|row| text(row, "id")).collect()
}

#[tokio::test]
async fn the_pages_of_a_list_are_the_list() {
    let app = TestApp::start();
    let mut workspace = a_workspace().create(&app).await;
    for _ in 0..4 {
        workspace = a_workspace().create(&app).await;
    }
    for _ in 0..5 {
        a_function().create(&app, &workspace).await;
    }
    for (path, separator) in [
        ("/api/workspaces".to_owned(), '?'),
        (workspace.functions(), '?'),
        (format!("{}?fields=summary", workspace.functions()), '&'),
    ] {
        let whole = app.get(&path).await;
        assert_eq!(whole.header("link"), "", "nothing follows");
        let all = ids(&whole.with_status(200));
        let (found, sizes) = pages(&app, &format!("{path}{separator}limit=2")).await;
        assert_eq!(found, all, "{path}");
        assert_eq!(sizes, [2, 2, 1]);
    }
}

#[tokio::test]
async fn what_goes_meanwhile_moves_nothing_else() {
    let app = TestApp::start();
    let mut created = Vec::new();
    for _ in 0..3 {
        created.push(a_workspace().create(&app).await);
    }
    let first = app.get("/api/workspaces?limit=1").await;
    let link = first.header("link").trim_start_matches('<').to_owned();
    let next = link.split('>').next().expect("an address");
    app.delete(&created[0].path()).await.with_status(204);
    let rest = ids(&app.get(next).await.with_status(200));
    assert_eq!(rest, [created[1].id.clone()]);
}

#[tokio::test]
async fn a_part_that_there_is_not_is_refused() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    for path in [
        "/api/workspaces".to_owned(),
        workspace.functions(),
        format!("/api/v1/workspaces/{}/tasks", workspace.id),
        format!("/api/v1/functions/{}/versions", function.id),
        format!("/api/v1/functions/{}/deployments", function.id),
    ] {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=x", "limit"),
            ("cursor=!", "cursor"),
            ("cursor=_w", "cursor"),
        ] {
            let refused = app.get(&format!("{path}?{query}")).await;
            assert_eq!(refused.refused_field(), field, "{path}?{query}");
        }
        app.get(&format!("{path}?limit=1")).await.with_status(200);
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let app = TestApp::start();
    let mut workspaces = Vec::new();
    for _ in 0..2 {
        let workspace = a_workspace().create(&app).await;
        for _ in 0..2 {
            a_function().create(&app, &workspace).await;
        }
        workspaces.push(workspace);
    }
    let lists: Vec<String> = std::iter::once("/api/workspaces".to_owned())
        .chain(workspaces.iter().map(Workspace::functions))
        .collect();
    for list in &lists {
        let first = app.get(&format!("{list}?limit=1")).await;
        let link = first.header("link");
        let (_, cursor) = link.split_once("cursor=").expect("a second part");
        let cursor = cursor.split(['>', '&']).next().unwrap_or_default();
        for other in &lists {
            let answer = app.get(&format!("{other}?cursor={cursor}")).await;
            if other == list {
                assert_eq!(ids(&answer.with_status(200)).len(), 1);
            } else {
                assert_eq!(answer.refused_field(), "cursor");
            }
        }
        for logs in [&workspaces[0].path(), &workspaces[1].path()] {
            let answer = app.get(&format!("{logs}/logs?cursor={cursor}")).await;
            assert_eq!(answer.refused_field(), "cursor");
        }
    }
}
