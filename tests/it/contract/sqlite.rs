//! The SQLite store: the contract, and what its file has to bear.

use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::port::store::{Key, Query, Store, Update, Write};
use serde_json::json;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::Opened;
use super::store::{all, item, store_contract};

fn open() -> Opened<dyn Store> {
    let directory = tempfile::tempdir().unwrap();
    Opened {
        port: Arc::new(SqliteStore::open(directory.path()).unwrap()),
        keep: Box::new(directory),
    }
}

store_contract!(open: std::future::ready(open()), gaps: []);

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let count = || vec![Write::Update(Update::new(Key::new("p", "n")).add("n", 1.0))];
    {
        let store = SqliteStore::open(directory.path()).unwrap();
        store
            .write(Write::put(Key::new("p", "s"), item(json!({"a": "가"}))))
            .await
            .unwrap();
        store.transact(count(), Some("token")).await.unwrap();
    }
    let store = SqliteStore::open(directory.path()).unwrap();
    store.transact(count(), Some("token")).await.unwrap();
    assert_eq!(
        store.get(&Key::new("p", "s")).await.unwrap(),
        Some(item(json!({"a": "가"})))
    );
    assert_eq!(
        store.get(&Key::new("p", "n")).await.unwrap(),
        Some(item(json!({"n": 1}))),
        "the token outlives the process"
    );
}

#[tokio::test]
async fn a_directory_belongs_to_one_server_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(directory.path()).unwrap();
    assert!(first.is_exclusive());
    let error = SqliteStore::open(directory.path())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("another server uses the data directory"),
        "{error}"
    );
    drop(first);
    SqliteStore::open(directory.path()).unwrap();
}

#[tokio::test]
async fn dropping_the_store_finishes_queued_writes_whose_callers_are_gone() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(directory.path()).unwrap());
    for n in 0..100 {
        let mut write = store.write(Write::put(
            Key::new("p", format!("{n:03}")),
            item(json!({ "n": n })),
        ));
        // Polled once, the write is queued; then its caller gives up.
        let _ = futures::poll!(&mut write);
    }
    drop(store);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(directory.path()).unwrap());
    assert_eq!(all(&store, Query::prefix("p", "")).await.len(), 100);
}

const DIRECTORY_OF_CHILD: &str = "BLUE_FAAS_TEST_STORE";

#[tokio::test]
async fn killed_in_the_middle_of_writing_it_loses_nothing_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let acknowledged = write_until_killed(directory.path(), 150);
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(directory.path()).unwrap());
        for name in &acknowledged {
            assert!(
                store.get(&Key::new("left", name)).await.unwrap().is_some(),
                "round {round} lost {name}"
            );
        }
        let names =
            |items: Vec<(Key, _)>| items.into_iter().map(|(key, _)| key.sk).collect::<Vec<_>>();
        let (left, right) = (
            all(&store, Query::prefix("left", "")).await,
            all(&store, Query::prefix("right", "")).await,
        );
        let count = store.get(&Key::new("p", "count")).await.unwrap().unwrap()["n"]
            .as_u64()
            .unwrap();
        assert_eq!(count, left.len() as u64, "a transaction was torn");
        assert_eq!(names(left), names(right), "a transaction was torn");
    }
}

/// Starts this program again as [`child_that_writes`], kills it after so many acknowledgements, and answers those.
fn write_until_killed(directory: &Path, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "contract::sqlite::child_that_writes",
            "--ignored",
            "--nocapture",
        ])
        .env(DIRECTORY_OF_CHILD, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let name = |line: String| line.strip_prefix("acknowledged ").map(str::to_owned);
    let mut acknowledged: Vec<String> = output.by_ref().filter_map(name).take(lines).collect();
    child.kill().unwrap();
    // What it said between the last line read and its death counts as well.
    acknowledged.extend(output.filter_map(name));
    child.wait().unwrap();
    assert!(
        acknowledged.len() >= lines,
        "the child ended by itself after {} writes",
        acknowledged.len()
    );
    acknowledged
}

/// Ten callers write pairs of items until the process is killed; what is acknowledged is said at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of killed_in_the_middle_of_writing_it_loses_nothing_it_acknowledged"]
async fn child_that_writes() {
    let Some(directory) = std::env::var_os(DIRECTORY_OF_CHILD) else {
        return;
    };
    let store = Arc::new(SqliteStore::open(Path::new(&directory)).unwrap());
    let callers: Vec<_> = (0..10)
        .map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in 0..100_000 {
                    let name = format!("{}-{caller}-{n}", std::process::id());
                    let put = |pk: &str| {
                        Write::put(
                            Key::new(pk, name.as_str()),
                            item(json!({"text": "x".repeat(3_000)})),
                        )
                    };
                    let count = Write::Update(Update::new(Key::new("p", "count")).add("n", 1.0));
                    store
                        .transact(vec![put("left"), count, put("right")], Some(&name))
                        .await
                        .unwrap();
                    let mut output = std::io::stdout().lock();
                    writeln!(output, "acknowledged {name}").unwrap();
                    output.flush().unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}
