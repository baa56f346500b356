//! `Idempotency-Key`: the same request again has one effect and one answer.

use blue_faas::adapter::blobs::filesystem::FilesystemBlobs;
use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::port::store::{Store, Update};
use blue_faas::service::actor::Actor;
use blue_faas::service::idempotency::{
    Answer as Kept, Begun, Claim, Idempotency, IdempotencyKey, KeyedRequest, SealedRequest,
};
use blue_faas::service::table::Table;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace, base64, text};
use crate::support::emulator::Emulator;

async fn create(app: &TestApp, key: &str, body: &Value) -> Answer {
    let request = app.request(Method::POST, "/api/workspaces").json(body);
    Answer::of(request.header("idempotency-key", key)).await
}

async fn count(app: &TestApp) -> usize {
    let listed = app.get("/api/workspaces").await.with_status(200);
    listed.as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_answer() {
    let mut app = TestApp::start();
    let body = json!({"name": "Payments"});
    let first = create(&app, "key-1", &body).await;
    let created = first.with_status(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    for restarted in [false, true] {
        if restarted {
            app.start_again();
        }
        let again = create(&app, "key-1", &body).await;
        assert_eq!(again.with_status(201), created);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.header("content-type"), "application/json");
        assert_eq!(count(&app).await, 1);
    }
    let other_key = create(&app, "key-2", &body).await.with_status(201);
    assert_ne!(other_key["id"], created["id"]);
    let without = app.post("/api/workspaces", &body).await.with_status(201);
    assert_ne!(without["id"], created["id"]);
}

#[tokio::test]
async fn another_request_with_the_key_is_refused() {
    let app = TestApp::start();
    create(&app, "key", &json!({"name": "Payments"}))
        .await
        .with_status(201);
    let refused = create(&app, "key", &json!({"name": "Refunds"})).await;
    let refusal = refused.refused(409, "CONFLICT");
    assert_eq!(refusal.field.as_deref(), Some("Idempotency-Key"));
    assert_eq!(count(&app).await, 1);
    // At another path the key is another one.
    let scaffold = app
        .request(Method::POST, "/api/v1/scaffold")
        .header("idempotency-key", "key")
        .json(&json!({"image_ref": "registry.example.com/a:1"}));
    Answer::of(scaffold).await.with_status(200);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let app = TestApp::start();
    for key in ["", "a b", &"k".repeat(256)] {
        let refused = create(&app, key, &json!({"name": "Payments"})).await;
        assert_eq!(refused.refused_field(), "Idempotency-Key");
    }
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn a_refused_request_did_nothing_and_leaves_the_key_free() {
    let app = TestApp::start();
    let refused = create(&app, "key", &json!({"name": " "})).await;
    assert_eq!(refused.refused_field(), "name");
    create(&app, "key", &json!({"name": "Payments"}))
        .await
        .with_status(201);
}

#[tokio::test]
async fn of_the_same_request_at_the_same_moment_one_has_an_effect() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let body = a_function().with_code(&"# code\n".repeat(20_000)).request();
    let send = async || {
        let request = app.request(Method::POST, &workspace.functions());
        Answer::of(request.json(&body).header("idempotency-key", "key")).await
    };
    let answers = futures::future::join_all((0..8).map(|_| send())).await;
    let mut ids = std::collections::BTreeSet::new();
    for answer in &answers {
        if answer.status == 201 {
            ids.insert(text(&answer.json(), "id"));
        } else {
            answer.refused(409, "CONFLICT");
            assert_eq!(answer.header("retry-after"), "1");
        }
    }
    assert_eq!(ids.len(), 1);
    // Long enough for the blobs.
    let again = send().await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(
        again.body.len(),
        answers
            .iter()
            .map(|answer| answer.body.len())
            .max()
            .unwrap_or(0)
    );
    let functions = app.get(&workspace.functions()).await.with_status(200);
    assert_eq!(functions.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_upload_is_the_same_under_another_boundary() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let upload = async |boundary: &str, python: &str| {
        let part = |disposition: &str, content: &str| {
            format!(
                "--{boundary}\r\ncontent-disposition: form-data; {disposition}\r\n\r\n{content}\r\n"
            )
        };
        let body = [
            part("name=\"workspace_id\"", &workspace.id),
            part("name=\"file\"; filename=\"app.py\"", python),
            format!("--{boundary}--\r\n"),
        ];
        let request = app
            .request(Method::POST, "/api/v1/build")
            .header(
                "content-type",
                format!("multipart/form-data; boundary={boundary}"),
            )
            .header("idempotency-key", "key");
        Answer::of(request.body(body.concat())).await
    };
    let first = upload("one", "x = 1").await.with_status(202);
    let again = upload("two", "x = 1").await.with_status(202);
    assert_eq!(again["task_id"], first["task_id"]);
    upload("one", "x = 2").await.refused(409, "CONFLICT");
    let tasks = app
        .get(&format!("/api/v1/workspaces/{}/tasks", workspace.id))
        .await
        .with_status(200);
    assert_eq!(tasks["count"], 1);
}

#[tokio::test]
async fn a_password_is_kept_nowhere() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let secret = "correct-horse-battery";
    let body = json!({"workspace_id": workspace.id, "registry_url": "registry.example.com/a", "username": "u", "password": secret});
    let request = app.request(Method::POST, "/api/v1/push").json(&body);
    let answer = Answer::of(request.header("idempotency-key", "key")).await;
    assert!(answer.status.is_client_error(), "nothing was built yet");
    create(
        &app,
        "other",
        &json!({"name": "Payments", "description": "kept"}),
    )
    .await
    .with_status(201);
    let holds = |text: &str| {
        let files = walk(&app.data());
        files.iter().any(|file| {
            let content = std::fs::read(file).unwrap_or_default();
            content
                .windows(text.len())
                .any(|bytes| bytes == text.as_bytes())
        })
    };
    assert!(
        holds(&base64("{\"id\":")[..6]),
        "the answer is kept as Base64"
    );
    assert!(!holds(secret));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn request(content: &[u8]) -> SealedRequest {
    let key = IdempotencyKey::parse(b"key").expect("a key");
    let request = KeyedRequest {
        key: &key,
        method: "POST",
        address: "/api/workspaces",
    };
    request.seal(&Actor::anonymous(), std::iter::once(content))
}

fn answer(text: &'static str) -> Kept {
    Kept {
        status: 201,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: Bytes::from_static(text.as_bytes()),
    }
}

/// The claim, which must be there to be had.
async fn claimed(idempotency: &Idempotency, request: &SealedRequest) -> Claim {
    match idempotency.begin(request).await {
        Ok(Begun::Claimed(claim)) => claim,
        Ok(Begun::Answered(answer)) => panic!("it has an answer: {answer:?}"),
        Err(error) => panic!("{error}"),
    }
}

async fn answered(idempotency: &Idempotency, request: &SealedRequest) -> Kept {
    match idempotency.begin(request).await {
        Ok(Begun::Answered(answer)) => answer,
        Ok(Begun::Claimed(_)) => panic!("it has no answer"),
        Err(error) => panic!("{error}"),
    }
}

/// A server that is gone does not block what it had begun, and is not heard when it comes back.
async fn a_claim_runs_out(store: Arc<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Arc::new(FilesystemBlobs::open(folder.path()).expect("blobs"));
    let idempotency = Idempotency::new(Table::new(store.clone()), blobs);
    let (same, other) = (request(b"one"), request(b"two"));
    let lost = claimed(&idempotency, &same).await;
    for refused in [&same, &other] {
        let Err(error) = idempotency.begin(refused).await else {
            panic!("it is claimed");
        };
        assert_eq!(error.field.as_deref(), Some("Idempotency-Key"));
        assert_eq!(
            error.retry_after.is_some(),
            std::ptr::eq(refused, &raw const same)
        );
    }
    let items = store.scan(None).await.expect("the table").items;
    let (key, _) = items.first().expect("a record");
    assert!(key.pk.starts_with("IDEMPOTENCY#"));
    let past = Update::new(key.clone()).set("leased_until", 1);
    store.update(past).await.expect("the record");

    let taken = claimed(&idempotency, &same).await;
    idempotency
        .keep(&lost, &answer("late"))
        .await
        .expect("unheard");
    idempotency.release(&lost).await.expect("unheard");
    assert!(idempotency.begin(&same).await.is_err(), "it still runs");
    idempotency
        .keep(&taken, &answer("in time"))
        .await
        .expect("kept");
    assert_eq!(answered(&idempotency, &same).await, answer("in time"));
    assert!(idempotency.begin(&other).await.is_err());

    let expired = Update::new(key.clone()).set("expires_at", 1);
    store.update(expired).await.expect("the record");
    let claim = claimed(&idempotency, &other).await;
    idempotency.release(&claim).await.expect("released");
    claimed(&idempotency, &same).await;
}

#[tokio::test]
async fn a_claim_runs_out_in_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path()).expect("a store");
    a_claim_runs_out(Arc::new(store)).await;
}

#[tokio::test]
async fn a_claim_runs_out_in_dynamodb() {
    let emulator = Emulator::dynoxide();
    a_claim_runs_out(Arc::new(emulator.new_store().await)).await;
}

#[tokio::test]
async fn a_caller_who_leaves_finds_the_answer_later() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let body = a_function()
        .with_code(&"# code\n".repeat(100_000))
        .request();
    let request = || {
        let request = app.request(Method::POST, &workspace.functions());
        request.json(&body).header("idempotency-key", "key")
    };
    let _ = tokio::time::timeout(Duration::from_millis(30), request().send()).await;
    let deadline = Instant::now() + Duration::from_secs(50);
    let answer = loop {
        let answer = Answer::of(request()).await;
        if answer.status == 201 {
            break answer;
        }
        answer.refused(409, "CONFLICT");
        assert!(Instant::now() < deadline, "it stays claimed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let functions = app.get(&workspace.functions()).await.with_status(200);
    assert_eq!(functions.as_array().map(Vec::len), Some(1));
    assert_eq!(functions[0]["id"], answer.json()["id"]);
}
