//! Executions as they happen, as server-sent events.

use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::model::id::ExecutionId;
use blue_faas::model::time::Timestamp;
use blue_faas::port::keys;
use blue_faas::port::store::{Item, Key, Query, Store as _, Write};
use blue_faas::service::new_id;
use http::Method;
use serde_json::json;
use std::time::Instant;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{Function, Workspace, a_function, a_workspace, text};
use crate::support::events::{Events, PATIENCE};
use crate::support::gate::Gate;

/// A function that is called at an address of its own.
async fn remote_function(app: &TestApp) -> (MockServer, Function) {
    let remote = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string("ok"))
        .mount(&remote)
        .await;
    let workspace = a_workspace().create(app).await;
    let function = a_function()
        .with("invocationUrl", remote.uri())
        .create(app, &workspace)
        .await;
    (remote, function)
}

/// Calls it and answers the execution's id.
async fn call(app: &TestApp, function: &Function, path: &str) -> String {
    let test = format!("{}/test", function.path());
    let answer = app.post(&test, &json!({"path": path})).await;
    text(&answer.with_status(200), "id")
}

#[tokio::test]
async fn every_execution_is_told_once_and_a_lost_connection_is_taken_up_again() {
    let app = TestApp::start_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let (_remote, function) = remote_function(&app).await;
    let before = call(&app, &function, "/before").await;
    let logs = format!("{}/logs", function.path());
    let mut events = Events::open(&app, &logs, None).await;
    let mut told = Vec::new();
    for path in ["/1", "/2", "/3"] {
        let id = call(&app, &function, path).await;
        let (name, event_id, execution) = events.next().await;
        assert_eq!(
            (name.as_str(), event_id.as_str()),
            ("execution", id.as_str())
        );
        assert_eq!(execution["path"], path);
        assert_ne!(id, before, "what was before is in the list");
        told.push(id);
    }
    let first = format!("{}/executions/{}", function.path(), told[0]);
    let first = app.get(&first).await.with_status(200);
    assert_eq!(
        (&first["id"], &first["path"]),
        (&json!(told[0]), &json!("/1"))
    );
    let unknown = format!("{}/executions/unknown", function.path());
    app.get(&unknown).await.refused(404, "NOT_FOUND");
    drop(events);
    let missed = call(&app, &function, "/4").await;
    let alias = format!("{}/logs", function.alias());
    let mut again = Events::open(&app, &alias, Some(&told[1])).await;
    for expected in [&told[2], &missed] {
        assert_eq!(&again.next().await.1, expected);
    }
}

#[tokio::test]
async fn a_stream_has_the_lists_filters_and_ends_with_its_function() {
    let app = TestApp::start_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let (_remote, function) = remote_function(&app).await;
    let logs = format!("{}/logs", function.path());
    let mut events = Events::open(&app, &format!("{logs}?q=wanted"), None).await;
    call(&app, &function, "/other").await;
    let wanted = call(&app, &function, "/wanted").await;
    assert_eq!(events.next().await.1, wanted);
    app.delete(&function.path()).await.with_status(204);
    events.end().await;

    let accepted = app
        .request(Method::GET, &logs)
        .header("accept", "text/event-stream");
    let refused = crate::support::answer::Answer::of(accepted).await;
    refused.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn who_would_rather_have_a_list_gets_one() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let paths = [
        format!("{}/logs", function.path()),
        format!("{}/logs", workspace.path()),
        format!("{}/loki-logs", function.alias()),
    ];
    for path in paths {
        for accept in [
            "application/json, text/event-stream;q=0",
            "application/json, text/event-stream;q=0.5",
            "text/event-streamx",
        ] {
            let request = app.request(Method::GET, &path).header("accept", accept);
            let list = Answer::of(request).await.with_status(200);
            assert_eq!(list["total"], 0, "{path} {accept}");
        }
        let request = app.request(Method::GET, &path);
        let request = request.header("accept", "TEXT/EVENT-STREAM");
        let events = request.send().await.expect("an answer");
        assert_eq!(events.headers()["content-type"], "text/event-stream");
    }
}

#[tokio::test]
async fn the_executions_of_a_workspace_are_told_too() {
    let app = TestApp::start_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let (remote, first) = remote_function(&app).await;
    call(&app, &first, "/before").await;
    let workspace = Workspace {
        id: first.workspace.clone(),
    };
    let logs = format!("{}/logs", workspace.path());
    let mut events = Events::open(&app, &logs, None).await;
    let second = a_function()
        .with("invocationUrl", remote.uri())
        .create(&app, &workspace)
        .await;
    let mut told = Vec::new();
    for function in [&first, &second, &first] {
        let id = call(&app, function, "/now").await;
        let (_, event_id, execution) = events.next().await;
        assert_eq!(event_id, id);
        assert_eq!(execution["functionId"], function.id);
        told.push(id);
    }
    let mut again = Events::open(&app, &logs, Some(&told[0])).await;
    for id in &told[1..] {
        assert_eq!(&again.next().await.1, id);
    }
    app.delete(&workspace.path()).await.with_status(204);
    events.end().await;
    again.end().await;
}

#[tokio::test]
async fn more_streams_than_there_is_room_for_are_told_to_come_back() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let logs = format!("{}/logs", function.path());
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(Events::open(&app, &logs, None).await);
    }
    let asked = || {
        let request = app.request(Method::GET, &logs);
        Answer::of(request.header("accept", "text/event-stream"))
    };
    let refused = asked().await;
    refused.refused(503, "OVERLOADED");
    assert_eq!(refused.header("retry-after"), "10");
    app.get(&logs).await.with_status(200);
    drop(open);
    let begin = Instant::now();
    while !opens(&app, &logs).await {
        assert!(begin.elapsed() < PATIENCE, "a place becomes free");
    }
}

async fn opens(app: &TestApp, logs: &str) -> bool {
    let request = app.request(Method::GET, logs);
    let answer = request.header("accept", "text/event-stream").send().await;
    answer.expect("it answers").status() == 200
}

/// A server with a function that was called once, and then as often as `record` says, while no server was there. Answers the ids.
async fn with_backlog(
    record: impl AsyncFnOnce(&SqliteStore, &Function, Item) -> Vec<String>,
) -> (TestApp, MockServer, Function, Vec<String>) {
    let mut app = TestApp::start_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let (remote, function) = remote_function(&app).await;
    let first = call(&app, &function, "/first").await;
    app.stop();
    let mut ids = vec![first];
    {
        let store = SqliteStore::open(&app.data()).expect("the server's store");
        let query = Query::prefix(format!("FN#{}", function.id), "LOG#");
        let page = store.query(&query).await.expect("the first one");
        let (_, item) = page.items.into_iter().next().expect("the first one");
        ids.extend(record(&store, &function, item).await);
    }
    app.start_again();
    (app, remote, function, ids)
}

/// The same execution once more.
fn again(first: &Item, function: &Function, id: &ExecutionId, at: Timestamp) -> (Key, Item) {
    let mut item = first.clone();
    item.insert("id".to_owned(), json!(id));
    item.insert("timestamp".to_owned(), json!(at));
    let key = keys::execution(&format!("FN#{}", function.id), at, id);
    (key, item)
}

#[tokio::test]
async fn a_long_backlog_is_told_whole_and_in_order() {
    let (app, _remote, function, expected) = with_backlog(record_many).await;
    let (first, rest) = expected.split_first().expect("many");
    let logs = format!("{}/logs", function.path());
    let mut events = Events::open(&app, &logs, Some(first)).await;
    for id in rest {
        assert_eq!(events.next().await.1, *id);
    }
    let last = call(&app, &function, "/last").await;
    assert_eq!(events.next().await.1, last);
}

#[tokio::test]
async fn a_backlog_of_hours_is_told_from_its_beginning() {
    let (app, _remote, function, expected) = with_backlog(record_hours).await;
    let logs = format!("{}/logs", function.path());
    let mut events = Events::open(&app, &logs, Some(&expected[1])).await;
    for (number, id) in expected[2..].iter().enumerate() {
        assert_eq!(events.next().await.1, *id, "{number}");
    }
    assert_eq!(events.next().await.1, expected[0], "which came after them");
}

#[tokio::test]
async fn who_comes_again_after_a_late_one_is_not_told_the_others_twice() {
    let app = TestApp::start_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let (gate, workspace) = (Gate::open().await, a_workspace().create(&app).await);
    let elsewhere = a_function().with("invocationUrl", gate.url());
    let function = elsewhere.create(&app, &workspace).await;
    let logs = format!("{}/logs", function.path());
    let mut events = Events::open(&app, &logs, None).await;
    let told = async {
        let late = gate.arrived().await;
        let (quick, ()) = tokio::join!(call(&app, &function, "/quick"), async {
            gate.arrived().await.answer().await;
        });
        let (_, id, execution) = events.next().await;
        assert_eq!((&id, &execution["path"]), (&quick, &json!("/quick")));
        late.answer().await;
        let (_, id, execution) = events.next().await;
        assert_eq!((&id, &execution["path"]), (&quick, &json!("/late")));
        id
    };
    let (_, id) = tokio::join!(call(&app, &function, "/late"), told);
    drop(events);
    let mut again = Events::open(&app, &logs, Some(&id)).await;
    let (last, ()) = tokio::join!(call(&app, &function, "/last"), async {
        gate.arrived().await.answer().await;
    });
    assert_eq!(again.next().await.2["id"], last);
}

/// More of them than are read for a page, none of which pass.
#[tokio::test]
async fn the_few_that_pass_are_told_among_the_many_that_do_not() {
    let (app, _remote, function, _) = with_backlog(async |store, function, first| {
        let times = (0..12_000).map(|_| new_id::execution());
        record_at(store, function, &first, times).await
    })
    .await;
    let of_workspace = format!("/api/workspaces/{}/logs?q=wanted", function.workspace);
    for logs in [format!("{}/logs?q=wanted", function.path()), of_workspace] {
        let mut events = Events::open(&app, &logs, None).await;
        for path in ["/wanted/1", "/other", "/wanted/2"] {
            let id = call(&app, &function, path).await;
            if path != "/other" {
                assert_eq!(events.next().await.2["id"], id, "{path}");
            }
        }
    }
}

/// More of them than two looks read, a third of them in one minute, with hours of silence before and after it.
async fn record_hours(store: &SqliteStore, function: &Function, first: Item) -> Vec<String> {
    let begin = Timestamp::now().plus_seconds(-10 * 3_600).micros() / 1_000;
    let times = (0..12_000).map(|number| {
        let milliseconds = match number {
            0..4_000 => number * 1_000,
            4_000..8_000 => 4 * 3_600_000 + number * 15,
            _ => 6 * 3_600_000 + number * 1_000,
        };
        let milliseconds = begin + milliseconds;
        let id = uuid::Builder::from_unix_timestamp_millis(milliseconds as u64, &[7; 10]);
        let id: ExecutionId = id.into_uuid().to_string().parse().expect("an id");
        (id, Timestamp::from_micros(milliseconds * 1_000))
    });
    record_at(store, function, &first, times).await
}

/// The same execution once more under each id and time.
async fn record_at(
    store: &SqliteStore,
    function: &Function,
    first: &Item,
    times: impl Iterator<Item = (ExecutionId, Timestamp)>,
) -> Vec<String> {
    let (mut ids, mut writes) = (Vec::new(), Vec::new());
    for (id, at) in times {
        let (key, item) = again(first, function, &id, at);
        writes.push(Write::put(key, item));
        ids.push(id.to_string());
    }
    for writes in writes.chunks(100) {
        let written = store.transact(writes.to_vec(), None).await;
        written.expect("written");
    }
    ids
}

/// More of them than one look keeps: 240 with 50,000 bytes each.
async fn record_many(store: &SqliteStore, function: &Function, first: Item) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..240 {
        let (id, at) = new_id::execution();
        let (key, mut item) = again(&first, function, &id, at);
        item.insert("responseBody".to_owned(), json!("x".repeat(50_000)));
        let write = Write::put(key, item);
        store.write(write).await.expect("written");
        ids.push(id.to_string());
    }
    ids
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams() {
    let mut app = TestApp::start_with(&[("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1")]);
    let (_remote, function) = remote_function(&app).await;
    let logs = format!("{}/logs", function.path());
    let events = Events::open(&app, &logs, None).await;
    // One that does not end in order is killed, and breaks the stream off.
    app.stop();
    events.end().await;
}
