//! A workspace's executions in order, whichever functions were called when.

use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::model::execution::Execution;
use blue_faas::model::id::WorkspaceId;
use blue_faas::model::time::Timestamp;
use blue_faas::port::keys;
use blue_faas::port::store::{Key, Query, Store, Update, Write};
use blue_faas::service::executions::recorder::{Owner, Recorder};
use blue_faas::service::statistics::Statistics;
use blue_faas::service::table::Table;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

use crate::support::app::TestApp;
use crate::support::builders::{Function, Workspace, a_function, a_workspace};
use crate::support::emulator::{Emulator, store_at};

/// More than are asked one by one.
const FUNCTIONS: usize = 24;
const EXECUTIONS: usize = 400;
/// Executions began within so many seconds: many in the same one.
const SECONDS: i64 = 120;
/// Some of what is read at once, all of it, and more than there is.
const LIMITS: [usize; 3] = [7, 60, 500];

struct Called {
    app: TestApp,
    workspace: Workspace,
    functions: Vec<Function>,
    /// When the first execution began, about.
    begin: i64,
    /// In the order of the list.
    executions: Vec<Execution>,
}

/// One of a random function at a random time, and another for each number.
fn execution(random: &mut StdRng, functions: &[Function], begin: i64, number: usize) -> Execution {
    // The first ones are called more often, and the last not at all.
    let choice = random.random_range(0..functions.len().max(2) - 1).pow(2) / functions.len();
    let micros = if random.random() {
        random.random_range(0..1_000_000)
    } else {
        0
    };
    let at = Timestamp::from_micros((begin + random.random_range(0..SECONDS)) * 1_000_000 + micros);
    let failed = random.random_ratio(1, 5);
    let execution = json!({
        "id": format!("e-{number:04}"), "functionId": functions[choice].id, "timestamp": at, "status": if failed { "error" } else { "success" },
        "duration": 1.0, "statusCode": if failed { 500 } else { 200 }, "logs": [], "level": "info", "method": "GET", "path": "/",
        "trigger": if number.is_multiple_of(9) { "draft" } else { "http" }, "requestSize": 0, "responseSize": 0,
    });
    let mut execution: Execution = serde_json::from_value(execution).expect("an execution");
    // As it is while it is recorded: to the microsecond.
    execution.timestamp = at;
    execution
}

/// Records as three servers would.
async fn record(store: Arc<dyn Store>, workspace: WorkspaceId, executions: &[Execution]) {
    let table = Table::new(store);
    let recorders: [Recorder; 3] =
        std::array::from_fn(|_| Recorder::start(table.clone(), Statistics::new(table.clone()), 30));
    for (number, execution) in executions.iter().enumerate() {
        let owner = Owner::Function {
            workspace: workspace.clone(),
            function: execution.function_id.clone(),
        };
        recorders[number % 3].record(owner, execution.clone()).await;
    }
    for recorder in recorders {
        recorder.flush().await;
    }
}

impl Called {
    async fn create(app: TestApp) -> Self {
        let workspace = a_workspace().create(&app).await;
        let mut functions = Vec::new();
        for number in 0..FUNCTIONS {
            let named = a_function().named(&format!("f-{number}"));
            functions.push(named.create(&app, &workspace).await);
        }
        let mut random = StdRng::seed_from_u64(1);
        let begin = Timestamp::now().seconds() - 1_000;
        let mut executions: Vec<Execution> = (0..EXECUTIONS)
            .map(|number| execution(&mut random, &functions, begin, number))
            .collect();
        executions.sort_by_key(|one| std::cmp::Reverse((one.timestamp, one.id.clone())));
        Self {
            app,
            workspace,
            functions,
            begin,
            executions,
        }
    }

    fn id(&self) -> WorkspaceId {
        self.workspace.id.parse().expect("an id")
    }

    fn path(&self) -> String {
        format!("{}/logs", self.workspace.path())
    }

    /// What pages of this size have together.
    async fn listed(&self, query: &str, limit: usize) -> Vec<String> {
        let (mut ids, mut next) = (Vec::new(), String::new());
        loop {
            let path = format!("{}?limit={limit}&{query}{next}", self.path());
            let page = self.app.get(&path).await.with_status(200);
            let rows = page["logs"].as_array().expect("a list");
            assert!(rows.len() <= limit);
            ids.extend(
                rows.iter()
                    .filter_map(|row| Some(row["id"].as_str()?.to_owned())),
            );
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return ids,
            }
        }
    }

    async fn check(&self) {
        let at = |seconds: i64| Timestamp::from_seconds(self.begin + seconds);
        let query = |text: String| text.replace('+', "%2B");
        type Passes<'a> = Box<dyn Fn(&Execution) -> bool + 'a>;
        let filters: [(String, Passes); 4] = [
            (String::new(), Box::new(|one| !one.trigger.is_aside())),
            (
                "status=error".to_owned(),
                Box::new(|one| !one.trigger.is_aside() && one.status_code == 500),
            ),
            (
                "trigger=draft".to_owned(),
                Box::new(|one| one.trigger.is_aside()),
            ),
            (
                query(format!("from={}&to={}", at(30), at(90))),
                Box::new(move |one| {
                    !one.trigger.is_aside() && (at(30)..=at(90)).contains(&one.timestamp)
                }),
            ),
        ];
        for (query, passes) in filters {
            let expected = self.executions.iter().filter(|one| passes(one));
            let expected: Vec<String> = expected.map(|one| one.id.to_string()).collect();
            assert!(expected.len() > 10, "{query}");
            for limit in LIMITS {
                let listed = self.listed(&query, limit).await;
                assert_eq!(listed, expected, "{query} limit={limit}");
            }
        }
    }

    /// Has the store while no server has it.
    async fn in_the_store<T>(&mut self, work: impl AsyncFnOnce(Arc<SqliteStore>) -> T) -> T {
        self.app.stop();
        let store = SqliteStore::open(&self.app.data()).expect("the server's store");
        let store = Arc::new(store);
        let done = work(store.clone()).await;
        // A recorder that is dropped ends soon.
        while Arc::strong_count(&store) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(store);
        self.app.start_again();
        done
    }

    async fn activity(&mut self) -> Vec<Key> {
        let partition = keys::activity_partition(&self.id(), 0);
        let read = async |store: Arc<SqliteStore>| {
            let page = store.query(&Query::prefix(partition, "")).await;
            page.expect("entries").items
        };
        let items = self.in_the_store(read).await;
        items.into_iter().map(|(key, _)| key).collect()
    }
}

async fn called() -> Called {
    let mut called = Called::create(TestApp::start()).await;
    let (executions, workspace) = (called.executions.clone(), called.id());
    called
        .in_the_store(async |store| record(store, workspace, &executions).await)
        .await;
    called
}

#[tokio::test]
async fn a_workspaces_executions_come_newest_first_whoever_was_called() {
    called().await.check().await;
}

#[tokio::test]
async fn a_page_reads_some_of_what_its_filter_leaves_out() {
    let mut called = Called::create(TestApp::start()).await;
    let mut random = StdRng::seed_from_u64(2);
    // Of one function, 90 each second.
    let busy = &called.functions[..1];
    let of_one = |number: i64| {
        let mut one = execution(&mut random, busy, called.begin, number as usize * 9 + 1);
        one.timestamp = Timestamp::from_micros(called.begin * 1_000_000 + number * 11_111);
        one
    };
    let executions: Vec<Execution> = (0..12_000).map(of_one).collect();
    let workspace = called.id();
    called
        .in_the_store(async |store| record(store, workspace, &executions).await)
        .await;
    let (mut pages, mut next) = (0, String::new());
    loop {
        let path = format!("{}?limit=50&q=nowhere{next}", called.path());
        let page = called.app.get(&path).await.with_status(200);
        assert_eq!(page["total"], 0);
        pages += 1;
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert!((2..=4).contains(&pages), "{pages}");
}

#[tokio::test]
async fn several_servers_record_for_one_list() {
    let emulator = Emulator::dynoxide();
    let settings = emulator.settings().await;
    let table = settings
        .iter()
        .find(|(name, _)| *name == "DYNAMODB_TABLE_NAME");
    let store = store_at(&emulator.url(), table.expect("a table").1).await;
    let called = Called::create(TestApp::start_with(settings)).await;
    record(Arc::new(store), called.id(), &called.executions).await;
    called.check().await;
}

#[tokio::test]
async fn executions_that_are_older_than_the_activity_are_found() {
    let mut called = called().await;
    let entries = called.activity().await;
    let since = called.begin + SECONDS / 2;
    let workspace = keys::workspace(&called.id());
    let older = entries.into_iter().filter(|key| {
        let second: i64 = key.sk[..12].parse().expect("a second");
        second < since
    });
    let mut writes: Vec<Write> = older.map(Write::delete).collect();
    assert!(writes.len() > 10);
    writes.push(Write::Update(
        Update::new(workspace.clone()).set("activitySince", since),
    ));
    let change = async |store: Arc<SqliteStore>| {
        for write in writes {
            store.write(write).await.expect("written");
        }
    };
    called.in_the_store(change).await;
    called.check().await;

    let unknown = Update::new(workspace).remove("activitySince");
    let forget = async |store: Arc<SqliteStore>| store.write(Write::Update(unknown)).await;
    let forgotten = called.in_the_store(forget).await;
    forgotten.expect("written");
    called.check().await;
}

#[tokio::test]
async fn the_activity_of_what_is_deleted_goes_with_it() {
    let mut called = called().await;
    let gone = called.functions.remove(0);
    called.app.delete(&gone.path()).await.with_status(204);
    let entries = called.activity().await;
    assert!(!entries.is_empty());
    assert!(entries.iter().all(|key| !key.sk.ends_with(&gone.id)));
    called
        .executions
        .retain(|one| one.function_id.as_str() != gone.id);
    let kept: Vec<Value> = called
        .executions
        .iter()
        .filter(|one| !one.trigger.is_aside())
        .map(|one| one.id.to_string().into())
        .collect();
    assert_eq!(called.listed("", 500).await, kept);

    let workspace = called.workspace.path();
    called.app.delete(&workspace).await.with_status(204);
    assert_eq!(called.activity().await, []);
}
