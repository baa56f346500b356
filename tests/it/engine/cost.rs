//! What pages and calls cost on DynamoDB, counted: a change that adds a read is seen here. `docs/OPERATIONS.md` shows the table.

use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

use super::journey::{BUILD_TIMEOUT, build_and_push, has_ended, task_when};
use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace, text};
use crate::support::emulator::{Emulator, new_table_name, settings_at, store_at};
use crate::support::proxy::{Proxy, Seen};

const SOURCE: &str = include_str!("../../fixtures/journey.py");
/// What every server asks once a second, whoever uses it: the deployed apps and the tasks that wait.
const BACKGROUND: [&str; 2] = ["APPS", "QUEUE"];
/// Executions are written by then.
const SETTLED: Duration = Duration::from_secs(1);

struct Meter {
    app: TestApp,
    proxy: Proxy,
    _emulator: Emulator,
}

impl Meter {
    async fn new() -> Self {
        let emulator = Emulator::dynoxide();
        let proxy = Proxy::before(&emulator.url()).await;
        let table = new_table_name();
        let created = store_at(&emulator.url(), &table).await.create_table().await;
        created.expect("a table");
        let app = TestApp::start_for_builds_with(settings_at(&proxy.url, &table));
        Self {
            app,
            proxy,
            _emulator: emulator,
        }
    }

    /// What getting a page takes, once it was got before.
    async fn get(&self, path: &str) -> String {
        assert_eq!(self.app.get(path).await.status, 200, "{path}");
        self.take().await;
        assert_eq!(self.app.get(path).await.status, 200, "{path}");
        self.take().await
    }

    /// What was asked since the last time, as in `2 GetItem, 1 Query: 2 units`.
    async fn take(&self) -> String {
        tokio::time::sleep(SETTLED).await;
        let seen = self.proxy.take_seen();
        let seen: Vec<Seen> = seen
            .into_iter()
            .filter(|one| !BACKGROUND.contains(&one.partition.as_str()))
            .collect();
        let mut counts = BTreeMap::<&str, usize>::new();
        for one in &seen {
            *counts.entry(&one.operation).or_default() += 1;
        }
        let counts: Vec<String> = counts
            .iter()
            .map(|(operation, count)| format!("{count} {operation}"))
            .collect();
        let units: f64 = seen.iter().map(|one| one.units).sum();
        format!("{}: {units} units", counts.join(", "))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_calls_cost_what_the_table_says() {
    let meter = Meter::new().await;
    let app = &meter.app;
    let (workspace, other) = (
        a_workspace().create(app).await,
        a_workspace().create(app).await,
    );
    let function = a_function().with_code(SOURCE).create(app, &workspace).await;
    a_function().named("Second").create(app, &workspace).await;
    a_function().named("Elsewhere").create(app, &other).await;
    let id = build_and_push(app, &function, SOURCE).await;
    let built = task_when(app, &id, BUILD_TIMEOUT, has_ended).await;
    let deploy = json!({
        "app_name": "cost", "namespace": "default", "function_id": function.id,
        "image_ref": text(&built["result"], "image_url"),
    });
    app.post("/api/v1/deploy", &deploy).await.with_status(200);
    app.post(&format!("{}/invoke", function.path()), &json!({}))
        .await
        .with_status(200);
    meter.take().await;

    let mut costs = Vec::new();
    for (name, path) in [
        ("workspace list (REST)", "/api/workspaces".to_owned()),
        ("workspace (REST)", workspace.path()),
        ("functions of a workspace (REST)", workspace.functions()),
        ("function (REST)", function.path()),
        ("workspace list (console)", "/".to_owned()),
        (
            "workspace page (console)",
            format!("/workspaces/{}", workspace.id),
        ),
        (
            "function page (console)",
            format!("/workspaces/{}/functions/{}", workspace.id, function.id),
        ),
    ] {
        costs.push(format!("{name}: {}", meter.get(&path).await));
    }
    app.post(&format!("{}/invoke", function.path()), &json!({}))
        .await
        .with_status(200);
    costs.push(format!("invoke: {}", meter.take().await));
    assert_eq!(app.call("cost", "/").await.status, 200);
    costs.push(format!("call of its URL: {}", meter.take().await));
    insta::assert_snapshot!(costs.join("\n"), @"
    workspace list (REST): 3 Query: 3 units
    workspace (REST): 1 GetItem, 1 Query: 2 units
    functions of a workspace (REST): 1 GetItem, 3 Query: 4 units
    function (REST): 1 GetItem, 1 Query: 2 units
    workspace list (console): 3 Query: 3 units
    workspace page (console): 4 GetItem, 9 Query: 13 units
    function page (console): 5 GetItem, 2 Query: 7 units
    invoke: 1 GetItem, 1 TransactWriteItems: 19 units
    call of its URL: 1 TransactWriteItems: 18 units
    ");
}
