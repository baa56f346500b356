//! The same sources built both ways, as snapshots and whole by componentize-py, must behave alike.
//!
//! A case is a folder of `tests/python`: `app.py`, and `requests.json`, a list of `{"method", "path", "headers", "body"}` of which only the
//! path must be there; an empty one says that the source cannot be built. All cases run with `BLUE_FAAS_DIFFERENTIAL=all`, as `make soak` has it; otherwise a few, since each is
//! really built.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::journey::{BUILD_TIMEOUT, build_and_push, has_ended, task_log, task_when};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace, text};

/// What [`build_and_push`] calls the app.
const APP: &str = "journey-app";
/// Executions that nobody waits for are written in groups; after this all of them are.
const WRITTEN: Duration = Duration::from_millis(400);
/// Run every time.
const SAMPLE: [&str; 3] = ["exceptions", "globals", "modules"];

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    method: Option<String>,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

#[derive(Debug, PartialEq)]
struct Behaviour {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    output: Vec<String>,
}

struct Case {
    name: String,
    source: String,
    requests: Vec<Request>,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let all = std::env::var("BLUE_FAAS_DIFFERENTIAL").is_ok_and(|value| value == "all");
    let entries = std::fs::read_dir(root).expect("the cases");
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.sort();
    let named = folders.into_iter().filter_map(|folder| {
        let name = folder.file_name()?.to_str()?.to_owned();
        (all || SAMPLE.contains(&name.as_str())).then_some((name, folder))
    });
    let read = |file: PathBuf| {
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    named
        .map(|(name, folder)| Case {
            name,
            source: read(folder.join("app.py")),
            requests: serde_json::from_str(&read(folder.join("requests.json"))).expect("requests"),
        })
        .collect()
}

/// How a case behaves where the server is set like this: of each request, or why there is no function.
async fn behaviour(app: &TestApp, case: &Case) -> Result<Vec<Behaviour>, String> {
    let workspace = a_workspace().create(app).await;
    let function = a_function()
        .with("httpMethods", json!(["GET", "POST", "PUT", "DELETE"]))
        .with("environmentVariables", json!({"GREETING": "annyeong"}))
        .with("timeout", 10)
        .create(app, &workspace)
        .await;
    let id = build_and_push(app, &function, &case.source).await;
    let built = task_when(app, &id, BUILD_TIMEOUT, has_ended).await;
    if built["status"] != "done" {
        let error = text(&built, "error");
        assert!(case.requests.is_empty(), "{}: {error}", case.name);
        return Err(error);
    }
    assert!(!case.requests.is_empty(), "{} was built", case.name);
    let log = task_log(app, &id).await;
    assert!(!log.contains("which takes longer"), "{}: {log}", case.name);
    let request = json!({"app_name": APP, "namespace": "default", "image_ref": built["result"]["image_url"], "function_id": function.id});
    app.post("/api/v1/deploy", &request).await.with_status(200);
    let mut answers = Vec::new();
    for request in &case.requests {
        answers.push(send(app, request).await);
    }
    tokio::time::sleep(WRITTEN).await;
    let logs = app
        .get(&format!("{}/logs?limit=100", function.path()))
        .await
        .with_status(200);
    app.delete(&function.path()).await.with_status(204);
    let outputs = logs["logs"].as_array().cloned().unwrap_or_default();
    assert_eq!(outputs.len(), answers.len(), "{}", case.name);
    let newest_first = outputs.into_iter().rev();
    Ok(answers
        .into_iter()
        .zip(newest_first)
        .map(|(answer, execution)| observed(&answer, &execution))
        .collect())
}

async fn send(app: &TestApp, request: &Request) -> Answer {
    let method = request.method.as_deref().unwrap_or("GET");
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut sent = app.function_request(method, APP, &request.path);
    for (name, value) in &request.headers {
        sent = sent.header(name, value);
    }
    Answer::of(sent.body(request.body.clone())).await
}

fn observed(answer: &Answer, execution: &Value) -> Behaviour {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    // An error names the execution; else bodies are the function's own.
    let body = match answer.text() {
        error if error.starts_with("{\"error\":") => "an error of the server's".to_owned(),
        body => body,
    };
    Behaviour {
        status: answer.status.as_u16(),
        headers: headers
            .filter(|(name, _)| answer.status.is_success() || *name != "content-length")
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body,
        output: comparable(&execution["logs"]),
    }
}

/// Output without what is known to differ: addresses, and the source lines that only a snapshot's tracebacks have.
fn comparable(lines: &Value) -> Vec<String> {
    let lines = lines.as_array().into_iter().flatten();
    lines
        .filter_map(Value::as_str)
        .filter(|line| !line.starts_with("    ") && !line.starts_with("  result = "))
        .filter(|line| !line.contains("Enable tracemalloc"))
        .map(|line| {
            let (before, after) = line.split_once(" at 0x").unwrap_or((line, ""));
            let rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
            format!("{before}{rest}")
        })
        .collect()
}

async fn behaviours(
    settings: &'static [(&'static str, &'static str)],
) -> Vec<(String, Result<Vec<Behaviour>, String>)> {
    let app = TestApp::start_for_builds_with(settings);
    let mut found = Vec::new();
    for case in cases() {
        let behaviour = behaviour(&app, &case).await;
        found.push((case.name, behaviour));
    }
    found
}

#[tokio::test]
async fn both_ways_of_building_give_the_same_behaviour() {
    let snapshots = behaviours(&[("BLUE_FAAS_BUILDER", "snapshot")]).await;
    let whole = behaviours(&[("BLUE_FAAS_BUILDER", "componentize")]).await;
    assert!(snapshots.len() >= SAMPLE.len());
    let different: Vec<String> = snapshots
        .iter()
        .zip(&whole)
        .filter(|(snapshot, whole)| snapshot != whole)
        .map(|(snapshot, whole)| {
            format!(
                "{}\n  as a snapshot: {:#?}\n  whole: {:#?}",
                snapshot.0, snapshot.1, whole.1
            )
        })
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}
