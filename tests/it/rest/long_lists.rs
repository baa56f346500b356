//! Lists without an end: every row is reached, a part at a time.

use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::model::deployment::DeployOptions;
use blue_faas::model::source::{SourceKind, SourceSummary};
use blue_faas::model::time::Timestamp;
use blue_faas::model::version::{Configuration, Version};
use blue_faas::port::keys;
use blue_faas::port::store::{Item, Key, Store as _, Write};
use blue_faas::service::table::to_item;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::builders::{Function, Workspace, a_function, a_workspace};

/// More than two parts of the usual size.
const MANY: u32 = 205;
const OF_FIRST_SYSTEM: u32 = 3;

/// As long a name as a UUID v7 has, and in order.
fn id(number: u32) -> String {
    format!("0199a0b4-7b7e-7cc0-8000-{number:012}")
}

fn version(function: &Function, number: u32) -> (Key, Item) {
    let version = Version {
        function_id: function.id.parse().expect("an id"),
        number,
        source: SourceSummary {
            kind: SourceKind::File,
            sha256: "0".repeat(64),
            size: 1,
            files: 1,
        },
        source_key: "none".to_owned(),
        configuration: Configuration::default(),
        image_ref: format!("local/app:{number}"),
        artifact: None,
        task_id: id(number).parse().expect("an id"),
        by: "test".to_owned(),
        at: Timestamp::now(),
    };
    let key = keys::version(&version.function_id, number);
    (key, to_item(&version).expect("an item"))
}

fn deployment(function: &Function, number: u32) -> (Key, Item) {
    let deployment = json!({
        "id": id(number), "function_id": function.id, "version": number, "app_name": "app", "namespace": "default",
        "image_ref": "local/app:1", "options": DeployOptions::default(), "status": "superseded", "created_at": Timestamp::now(), "by": "test",
    });
    let key = Key::new(
        format!("FN#{}", function.id),
        format!("DEPLOYMENT#{}", id(number)),
    );
    (key, to_item(&deployment).expect("an item"))
}

fn task(workspace: &Workspace, id: &str) -> (Key, Item) {
    let now = Timestamp::now();
    let task = json!({
        "task_id": id, "workspace_id": workspace.id, "app_name": "app", "status": "completed", "created_at": now, "updated_at": now,
    });
    let key = Key::new(format!("WS#{}", workspace.id), format!("BUILD#{id}"));
    (key, to_item(&task).expect("an item"))
}

async fn fill(app: &TestApp, workspace: &Workspace, function: &Function) {
    let store = SqliteStore::open(&app.data()).expect("the server's store");
    let mut items = Vec::new();
    for number in 1..=MANY {
        items.push(version(function, number));
        items.push(deployment(function, number));
        items.push(task(workspace, &id(number)));
    }
    for number in 0..OF_FIRST_SYSTEM {
        items.push(task(workspace, &format!("f-{number}")));
    }
    for (key, item) in items {
        store.write(Write::put(key, item)).await.expect("written");
    }
}

/// What `row` takes from each answer, and the sizes of these.
async fn pages<T>(
    app: &TestApp,
    first: String,
    rows: impl Fn(Value) -> Vec<T>,
) -> (Vec<T>, Vec<usize>) {
    let (mut all, mut sizes, mut next) = (Vec::new(), Vec::new(), Some(first));
    while let Some(path) = next {
        let answer = app.get(&path).await;
        let found = rows(answer.with_status(200));
        sizes.push(found.len());
        all.extend(found);
        let link = answer.header("link").strip_prefix('<');
        next = link.map(|link| link.split('>').next().unwrap_or_default().to_owned());
    }
    (all, sizes)
}

fn field(rows: &Value, name: &str) -> Vec<Value> {
    let rows = rows.as_array().expect("a list");
    rows.iter().map(|row| row[name].clone()).collect()
}

#[tokio::test]
async fn every_row_of_a_long_list_is_on_one_of_its_pages() {
    let mut app = TestApp::start_with(&[("BLUE_FAAS_KEEP_VERSIONS", "1000")]);
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    app.stop();
    fill(&app, &workspace, &function).await;
    app.start_again();

    let versions = format!("/api/v1/functions/{}/versions", function.id);
    let newest_first: Vec<Value> = (1..=MANY).rev().map(Value::from).collect();
    let numbers = |list: Value| field(&list, "number");
    let (found, sizes) = pages(&app, versions.clone(), numbers).await;
    assert_eq!(found, newest_first);
    assert_eq!(sizes, [100, 100, 5]);
    let (found, sizes) = pages(&app, format!("{versions}?limit=41"), numbers).await;
    assert_eq!(found, newest_first);
    assert_eq!(sizes, [41; 5], "and no empty one");

    let deployments = format!("/api/v1/functions/{}/deployments", function.id);
    let numbers = |list: Value| field(&list, "version");
    let (found, sizes) = pages(&app, deployments, numbers).await;
    assert_eq!(found, newest_first);
    assert_eq!(sizes, [100, 100, 5]);

    let tasks = format!("/api/v1/workspaces/{}/tasks?limit=205", workspace.id);
    let ids = |list: Value| field(&list["tasks"], "task_id");
    let (found, sizes) = pages(&app, tasks, ids).await;
    let ours = (1..=MANY).rev().map(id);
    let theirs = (0..OF_FIRST_SYSTEM)
        .rev()
        .map(|number| format!("f-{number}"));
    let expected: Vec<Value> = ours.chain(theirs).map(Value::from).collect();
    assert_eq!(found, expected, "those of the first system are the oldest");
    assert_eq!(sizes, [205, 3]);
}
