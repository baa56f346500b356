//! A function's tasks: found behind very many others, whoever wrote them, and gone with what they belong to.

use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::model::id::{FunctionId, TaskId};
use blue_faas::model::time::Timestamp;
use blue_faas::port::keys;
use blue_faas::port::store::{Condition, Item, Key, Query, Store, Update, Write};
use blue_faas::service::table::to_item;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::app::{TestApp, run};
use crate::support::builders::{Function, Workspace, a_function, a_workspace, base64, text};
use crate::support::emulator::{Emulator, new_table_name, settings_at, store_at};

const HELLO: &str = include_str!("../fixtures/hello.py");
/// More than were read of a workspace for a function's list.
const OF_OTHERS: u32 = 5_001;
/// More than a list shows, and than one transaction writes.
const UNLISTED: u32 = 150;
const SHOWN: u32 = 100;
const PATIENCE: Duration = Duration::from_mins(2);

/// A server, and the store that it keeps its records in.
struct Setting {
    app: TestApp,
    table: Option<(Emulator, String)>,
}

impl Setting {
    fn on_sqlite() -> Self {
        let app = TestApp::start();
        Self { app, table: None }
    }

    async fn on_dynamodb() -> Self {
        let (emulator, table) = (Emulator::dynoxide(), new_table_name());
        let created = store_at(&emulator.url(), &table).await.create_table().await;
        created.expect("a table");
        Self {
            app: TestApp::start_with(settings_at(&emulator.url(), &table)),
            table: Some((emulator, table)),
        }
    }

    /// SQLite's is free while no server runs.
    async fn store(&self) -> Arc<dyn Store> {
        match &self.table {
            Some((emulator, table)) => Arc::new(store_at(&emulator.url(), table).await),
            None => Arc::new(SqliteStore::open(&self.app.data()).expect("the server's store")),
        }
    }

    /// The tasks on a function's page, from the first row on.
    async fn shown(&self, function: &Function) -> Vec<String> {
        let page = format!(
            "/workspaces/{}/functions/{}/deploy",
            function.workspace, function.id
        );
        let page = self.app.get(&page).await;
        assert_eq!(page.status, 200);
        let page = page.text();
        let mut ids: Vec<String> = page
            .split("/deploy?task=")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
            .collect();
        ids.dedup();
        ids
    }

    async fn until_shown(&self, function: &Function, expected: &[String]) {
        let deadline = Instant::now() + PATIENCE;
        while self.shown(function).await != expected {
            assert!(Instant::now() < deadline, "not all are shown");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// As long a name as a UUID v7 has, and in order.
fn id(number: u32) -> String {
    format!("0199a0b4-7b7e-7cc0-8000-{number:012}")
}

fn newest_first(numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.rev().map(id).collect()
}

/// A task's record, and where it lives.
fn task(function: &Function, id: &str, at: Timestamp) -> [Write; 2] {
    let task = json!({
        "task_id": id, "workspace_id": function.workspace, "function_id": function.id, "app_name": "app", "status": "failed", "fence": 0,
        "created_at": at, "updated_at": at,
    });
    let key = Key::new(format!("WS#{}", function.workspace), format!("BUILD#{id}"));
    let place = json!({"workspace_id": function.workspace});
    let owner = keys::task_owner(&TaskId::parse(id).expect("an id"));
    [
        Write::put(key, to_item(&task).expect("an item")),
        Write::put(owner, to_item(&place).expect("an item")),
    ]
}

fn entry(function: &Function, id: &str) -> Write {
    let function = FunctionId::parse(&function.id).expect("an id");
    let task = TaskId::parse(id).expect("an id");
    let entry = to_item(&json!({"task_id": id})).expect("an item");
    Write::put(keys::function_task(&function, &task), entry)
}

async fn write(store: &dyn Store, writes: Vec<Write>) {
    for some in writes.chunks(100) {
        let written = store.transact(some.to_vec(), None).await;
        written.expect("written");
    }
}

async fn items(store: &dyn Store, partition: String, prefix: &str) -> Vec<(Key, Item)> {
    let mut query = Query::prefix(partition, prefix);
    let mut items = Vec::new();
    loop {
        let page = store.query(&query).await.expect("a page");
        items.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            return items;
        }
    }
}

/// The tasks that a function's partition lists.
async fn listed(store: &dyn Store, function: &Function) -> BTreeSet<String> {
    let entries = items(store, format!("FN#{}", function.id), "TASK#").await;
    let ids = entries
        .into_iter()
        .map(|(_, entry)| entry["task_id"].clone());
    ids.map(|id| id.as_str().expect("an id").to_owned())
        .collect()
}

async fn three_functions(app: &TestApp) -> (Workspace, [Function; 3]) {
    let workspace = a_workspace().create(app).await;
    let functions = [
        a_function().create(app, &workspace).await,
        a_function().create(app, &workspace).await,
        a_function().create(app, &workspace).await,
    ];
    (workspace, functions)
}

async fn are_found_and_deleted(mut setting: Setting) -> (Setting, Function) {
    let (workspace, [quiet, older, busy]) = three_functions(&setting.app).await;
    setting.app.stop();
    let (now, mut writes) = (Timestamp::now(), Vec::new());
    let of_quiet = [id(3), id(2), id(1), "f-1".to_owned()];
    for id in &of_quiet {
        writes.extend(task(&quiet, id, now));
        writes.push(entry(&quiet, id));
    }
    writes.push(entry(&quiet, "f-gone"));
    // As a server writes them that lists none.
    writes.extend((10..10 + UNLISTED).flat_map(|number| task(&older, &id(number), now)));
    for number in 1_000..1_000 + OF_OTHERS {
        writes.extend(task(&busy, &id(number), now));
        writes.push(entry(&busy, &id(number)));
    }
    let store = setting.store().await;
    write(&*store, writes).await;
    drop(store);
    setting.app.start_again();

    assert_eq!(setting.shown(&quiet).await, of_quiet);
    let newest = 10 + UNLISTED - 1;
    let of_older = newest_first(newest + 1 - SHOWN..=newest);
    setting.until_shown(&older, &of_older).await;
    let newest = 1_000 + OF_OTHERS - 1;
    let of_busy = newest_first(newest + 1 - SHOWN..=newest);
    assert_eq!(setting.shown(&busy).await, of_busy);

    for gone in [&quiet, &older] {
        setting.app.delete(&gone.path()).await.with_status(204);
    }
    setting.app.stop();
    let store = setting.store().await;
    for gone in [&quiet, &older] {
        let left = items(&*store, format!("FN#{}", gone.id), "").await;
        assert_eq!(left, [], "nothing of {} is left", gone.id);
    }
    let tasks = items(&*store, format!("WS#{}", workspace.id), "BUILD#").await;
    assert_eq!(tasks.len(), OF_OTHERS as usize);
    drop(store);
    setting.app.start_again();
    (setting, busy)
}

#[tokio::test]
async fn tasks_are_found_behind_5000_of_others_and_deleted_with_their_function() {
    let (setting, busy) = are_found_and_deleted(Setting::on_sqlite()).await;
    let Setting { mut app, table } = setting;
    let workspace = format!("/api/workspaces/{}", busy.workspace);
    app.delete(&workspace).await.with_status(204);
    app.stop();
    let setting = Setting { app, table };
    let store = setting.store().await;
    for partition in [format!("FN#{}", busy.id), format!("WS#{}", busy.workspace)] {
        assert_eq!(items(&*store, partition, "").await, []);
    }
}

#[tokio::test]
async fn in_dynamodb_so_are_those_that_an_older_server_queues_beside_this_one() {
    let (setting, busy) = are_found_and_deleted(Setting::on_dynamodb().await).await;
    let newest = id(90_000);
    let mark = Update::new(Key::new(
        format!("WS#{}", busy.workspace),
        format!("FN#{}", busy.id),
    ));
    let mark = mark.set("taskId", &*newest).when(Condition::Exists);
    let store = setting.store().await;
    let [record, place] = task(&busy, &newest, Timestamp::now());
    write(&*store, vec![record, place, Write::Update(mark)]).await;
    assert_eq!(setting.shown(&busy).await.first(), Some(&newest));
}

#[tokio::test]
async fn every_way_to_make_a_task_lists_it() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with("deployOnSave", true)
        .create(&app, &workspace)
        .await;
    let fields = [
        ("workspace_id", workspace.id.as_str()),
        ("function_id", function.id.as_str()),
    ];
    let broken = ("app.py", "answer = 1\n");
    let built = app
        .upload(Method::POST, "/api/v1/build", broken, &fields)
        .await;
    let uploaded = text(&built.with_status(202), "task_id");
    let path = format!("/api/v1/tasks/{uploaded}");
    let deadline = Instant::now() + PATIENCE;
    while app.get(&path).await.with_status(200)["status"] != "failed" {
        assert!(Instant::now() < deadline, "it does not fail");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let again = app.post(&format!("{path}/retry"), &json!({})).await;
    let again = text(&again.with_status(202), "task_id");
    let code = base64(&format!("{HELLO}\n# changed\n"));
    let saved = app.patch(&function.path(), &json!({"code": code})).await;
    saved.with_status(200);
    let unattached = app
        .upload(
            Method::POST,
            "/api/v1/build",
            ("app.py", HELLO),
            &fields[..1],
        )
        .await;
    unattached.with_status(202);

    let mut setting = Setting { app, table: None };
    setting.app.stop();
    let store = setting.store().await;
    let tasks = items(&*store, format!("WS#{}", workspace.id), "BUILD#").await;
    let of_function: BTreeSet<String> = tasks
        .iter()
        .filter(|(_, task)| task.get("function_id").and_then(Value::as_str) == Some(&function.id))
        .map(|(_, task)| task["task_id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!((tasks.len(), of_function.len()), (4, 3));
    assert!(of_function.contains(&uploaded) && of_function.contains(&again));
    assert_eq!(listed(&*store, &function).await, of_function);
}

#[tokio::test]
async fn a_task_that_is_old_enough_leaves_the_list() {
    let mut setting = Setting::on_sqlite();
    let (_, [function, ..]) = three_functions(&setting.app).await;
    setting.app.stop();
    let (now, old) = (id(2), id(1));
    let long_ago = Timestamp::now().plus_seconds(-40 * 86_400);
    let mut writes = vec![entry(&function, &now), entry(&function, &old)];
    writes.extend(task(&function, &now, Timestamp::now()));
    writes.extend(task(&function, &old, long_ago));
    let store = setting.store().await;
    write(&*store, writes).await;
    drop(store);
    setting.app.start_again();
    setting
        .until_shown(&function, std::slice::from_ref(&now))
        .await;
    setting.app.stop();
    let store = setting.store().await;
    assert_eq!(listed(&*store, &function).await, BTreeSet::from([now]));
}

#[tokio::test]
async fn the_command_lists_tasks_of_functions_that_are_there() {
    let mut setting = Setting::on_dynamodb().await;
    let (workspace, [function, ..]) = three_functions(&setting.app).await;
    setting.app.stop();
    let gone = Function {
        id: "fn-gone".to_owned(),
        workspace: workspace.id,
    };
    let now = Timestamp::now();
    let writes = [task(&function, &id(1), now), task(&gone, &id(2), now)].concat();
    let store = setting.store().await;
    write(&*store, writes).await;
    let (emulator, table) = setting.table.as_ref().expect("a table");
    let settings = settings_at(&emulator.url(), table);
    for found in [1, 0] {
        let done = run(&["table", "backfill"], &setting.app.data(), settings);
        let expected = format!("0 workspaces, 0 functions, {found} tasks.");
        assert!(done.success && done.stdout.contains(&expected), "{done:?}");
    }
    assert_eq!(listed(&*store, &function).await, BTreeSet::from([id(1)]));
    assert_eq!(listed(&*store, &gone).await, BTreeSet::new());
}
