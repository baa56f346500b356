//! The same sources built both ways, as snapshots and whole by componentize-py, must behave alike.
//!
//! A case is a folder of `tests/python`: `app.py`, more files if it is a package, and `requests.json`. That is a list of
//! `{"method", "path", "headers", "body"}` of which only the path must be there; a header has one value or a list of them, and
//! `hex` stands for a body that is no text. An empty list says that the source cannot be built. With more to say it is an object: `requests`; `differs`, why the two ways may not behave
//! alike here, which is then asserted; `whole`, why the build log says that this is not made a snapshot.
//!
//! All cases run with `BLUE_FAAS_DIFFERENTIAL=all`, as `make soak` has it, and some with `BLUE_FAAS_DIFFERENTIAL=name,name`; otherwise
//! a few, since each is really built. What they answered is left in `differential` below Cargo's folder for tests.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::journey::{BUILD_TIMEOUT, has_ended, task_log, task_when};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::archive::zip;
use crate::support::builders::{Function, a_function, a_workspace, text};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
const APP: &str = "journey-app";
/// Executions that nobody waits for are written in groups; after this all of them are, on a busy machine too.
const WRITTEN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);
/// Run every time.
const SAMPLE: [&str; 3] = ["exceptions", "globals", "modules"];

#[derive(Deserialize)]
#[serde(untagged)]
enum Description {
    Requests(Vec<Request>),
    Whole(Expected),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    requests: Vec<Request>,
    #[serde(default)]
    differs: Option<String>,
    #[serde(default)]
    whole: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    method: Option<String>,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, Values>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    hex: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, PartialEq)]
struct Behaviour {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    output: Vec<String>,
}

struct Case {
    name: String,
    /// By their paths: `app.py` alone, or what is packed as a .zip.
    files: BTreeMap<String, Vec<u8>>,
    expected: Expected,
}

impl Case {
    fn read(name: String, folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        read_files(folder, "", &mut files);
        let requests = files.remove("requests.json").expect("requests.json");
        let expected = match serde_json::from_slice(&requests) {
            Ok(Description::Whole(expected)) => expected,
            Ok(Description::Requests(requests)) => Expected {
                requests,
                differs: None,
                whole: None,
            },
            Err(error) => panic!("{name}/requests.json: {error}"),
        };
        Self {
            name,
            files,
            expected,
        }
    }

    fn upload(&self) -> (&'static str, Vec<u8>) {
        if self.files.len() == 1
            && let Some(source) = self.files.get("app.py")
        {
            return ("app.py", source.clone());
        }
        let files = self.files.iter();
        let files: Vec<_> = files
            .map(|(path, content)| (path.as_str(), content.as_slice()))
            .collect();
        ("app.zip", zip(&files))
    }
}

fn read_files(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let entries = std::fs::read_dir(folder).expect("a folder");
    for entry in entries.map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().and_then(|name| name.to_str());
        let path = format!("{prefix}{}", name.expect("a plain name"));
        if entry.is_dir() {
            read_files(&entry, &format!("{path}/"), files);
        } else {
            files.insert(path, std::fs::read(&entry).expect("a file"));
        }
    }
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let asked = std::env::var("BLUE_FAAS_DIFFERENTIAL").unwrap_or_default();
    let wanted: Vec<&str> = match asked.as_str() {
        "" | "all" => SAMPLE.to_vec(),
        names => names.split(',').collect(),
    };
    let missing = wanted.iter().find(|name| !root.join(name).is_dir());
    assert!(missing.is_none(), "no case is named {missing:?}");
    let entries = std::fs::read_dir(root).expect("the cases");
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.sort();
    folders
        .into_iter()
        .filter_map(|folder| {
            let name = folder.file_name()?.to_str()?.to_owned();
            let named = asked == "all" || wanted.contains(&name.as_str());
            named.then(|| Case::read(name, &folder))
        })
        .collect()
}

/// Uploads a case as a function's source and answers the task that builds it and pushes its image.
async fn build(app: &TestApp, case: &Case, function: &Function) -> String {
    let (name, content) = case.upload();
    let texts = [
        ("workspace_id", function.workspace.as_str()),
        ("function_id", function.id.as_str()),
        ("app_name", APP),
        ("registry_url", "registry.example.com/team/journey"),
    ];
    let accepted = app
        .upload_bytes("/api/v1/build-and-push", (name, &content), &texts)
        .await
        .with_status(202);
    text(&accepted, "task_id")
}

/// How a case behaves where the server is set like this: of each request, or why there is no function.
async fn behaviour(app: &TestApp, case: &Case, builder: &str) -> Result<Vec<Behaviour>, String> {
    let workspace = a_workspace().create(app).await;
    let function = a_function()
        .with("httpMethods", json!(METHODS))
        .with("environmentVariables", json!({"GREETING": "annyeong"}))
        .with("timeout", 10)
        .create(app, &workspace)
        .await;
    let id = build(app, case, &function).await;
    let built = task_when(app, &id, BUILD_TIMEOUT, has_ended).await;
    if built["status"] != "done" {
        let error = text(&built, "error");
        let expected = case.expected.requests.is_empty();
        assert!(expected, "{}: {error}", case.name);
        return Err(error);
    }
    assert!(
        !case.expected.requests.is_empty(),
        "{} was built",
        case.name
    );
    let log = task_log(app, &id).await;
    let reason = log.split_once("which takes longer, because ");
    let reason = reason.and_then(|(_, rest)| Some(rest.lines().next()?.to_owned()));
    if builder == "snapshot" && reason != case.expected.whole {
        return Err(format!("is built whole because {reason:?}"));
    }
    let request = json!({"app_name": APP, "namespace": "default", "image_ref": built["result"]["image_url"], "function_id": function.id});
    app.post("/api/v1/deploy", &request).await.with_status(200);
    let mut answers = Vec::new();
    for request in &case.expected.requests {
        answers.push(send(app, request).await);
    }
    let outputs = executions(app, &function, answers.len()).await;
    app.delete(&function.path()).await.with_status(204);
    if outputs.len() != answers.len() {
        return Err(format!("has {} executions", outputs.len()));
    }
    let newest_first = outputs.into_iter().rev();
    Ok(answers
        .into_iter()
        .zip(newest_first)
        .map(|(answer, execution)| observed(answer.as_ref(), &execution))
        .collect())
}

/// As many as were asked for, or those that are written within a time.
async fn executions(app: &TestApp, function: &Function, wanted: usize) -> Vec<Value> {
    let path = format!("{}/logs?limit=100", function.path());
    let deadline = Instant::now() + WRITTEN;
    loop {
        let logs = app.get(&path).await.with_status(200);
        let found = logs["logs"].as_array().cloned().unwrap_or_default();
        if found.len() >= wanted || Instant::now() > deadline {
            return found;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Nothing when the connection breaks, or what comes is no HTTP.
async fn send(app: &TestApp, request: &Request) -> Option<Answer> {
    let method = request.method.as_deref().unwrap_or("GET");
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut sent = app.function_request(method, APP, &request.path);
    for (name, values) in &request.headers {
        let values = match values {
            Values::One(value) => std::slice::from_ref(value),
            Values::Many(values) => values,
        };
        for value in values {
            sent = sent.header(name, value);
        }
    }
    let body = match request.hex.as_str() {
        "" => request.body.clone().into_bytes(),
        hex => bytes(hex),
    };
    let response = sent.body(body).send().await.ok()?;
    Some(Answer {
        status: response.status(),
        headers: response.headers().clone(),
        body: response.bytes().await.ok()?,
    })
}

/// What pairs of hexadecimal digits stand for.
fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: char| c.to_digit(16).expect("a hexadecimal digit");
    let digits: Vec<u32> = hex.chars().map(digit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)))
        .collect::<Result<_, _>>()
        .expect("pairs")
}

fn observed(answer: Option<&Answer>, execution: &Value) -> Behaviour {
    let output = comparable(&execution["logs"]);
    let Some(answer) = answer else {
        return Behaviour {
            status: 0,
            headers: Vec::new(),
            body: "no answer".to_owned(),
            output,
        };
    };
    // Those of the answer, not of the function.
    let is_own = |name: &http::HeaderName| name != "date" && name != "x-request-id";
    let headers = answer.headers.iter().filter(|(name, _)| is_own(name));
    // An error names the execution; else bodies are the function's own.
    let body = match std::str::from_utf8(&answer.body) {
        Ok(error) if error.starts_with("{\"error\":") => "an error of the server's".to_owned(),
        Ok(body) => body.to_owned(),
        Err(_) => format!("{:?}", answer.body),
    };
    let mut headers: Vec<(String, String)> = headers
        .filter(|(name, _)| answer.status.is_success() || *name != "content-length")
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        })
        .collect();
    headers.sort();
    Behaviour {
        status: answer.status.as_u16(),
        headers,
        body,
        output,
    }
}

/// Printed lines without what may differ: addresses, where the SDK lies, and source in tracebacks, which only a snapshot has at hand.
fn comparable(lines: &Value) -> Vec<String> {
    let lines = lines.as_array().into_iter().flatten();
    let mut frame: Option<usize> = None;
    let mut kept = Vec::new();
    for line in lines.filter_map(Value::as_str) {
        let text = line.trim_start_matches([' ', '|']);
        let indent = line.len() - text.len();
        if text.contains("Enable tracemalloc") {
            continue;
        }
        let is_warning = line.starts_with("/0/") && line.contains("Warning: ");
        let is_frame = text.starts_with("File \"") || is_warning;
        if !is_frame && frame.is_some_and(|frame| indent > frame) {
            continue;
        }
        frame = is_frame.then_some(indent);
        kept.push(without_addresses(line).replace("\"/2/spin_sdk/", "\"/1/spin_sdk/"));
    }
    kept
}

fn without_addresses(line: &str) -> String {
    let mut parts = line.split(" at 0x");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        format!("{text} at 0x…{rest}")
    })
}

async fn behaviours(
    settings: &'static [(&'static str, &'static str)],
) -> Vec<(Case, Result<Vec<Behaviour>, String>)> {
    let app = TestApp::start_for_builds_with(settings);
    let builder = settings.first().map_or("", |(_, value)| value);
    let left = Path::new(env!("CARGO_TARGET_TMPDIR")).join("differential");
    std::fs::create_dir_all(&left).expect("a folder");
    let mut found = Vec::new();
    for case in cases() {
        let behaviour = behaviour(&app, &case, builder).await;
        let shown = format!("{behaviour:#?}\n");
        std::fs::write(left.join(format!("{}.{builder}", case.name)), shown).expect("written");
        found.push((case, behaviour));
    }
    found
}

#[tokio::test]
async fn both_ways_of_building_give_the_same_behaviour() {
    let snapshots = behaviours(&[("BLUE_FAAS_BUILDER", "snapshot")]).await;
    let whole = behaviours(&[("BLUE_FAAS_BUILDER", "componentize")]).await;
    assert!(
        snapshots.len() >= SAMPLE.len() || std::env::var_os("BLUE_FAAS_DIFFERENTIAL").is_some()
    );
    let wrong: Vec<String> = snapshots
        .iter()
        .zip(&whole)
        .filter(|((case, snapshot), (_, whole))| {
            (snapshot != whole) != case.expected.differs.is_some()
        })
        .map(
            |((case, snapshot), (_, whole))| match &case.expected.differs {
                Some(reason) => format!("{} differs no longer ({reason}): {whole:#?}", case.name),
                None => format!(
                    "{}\n  as a snapshot: {snapshot:#?}\n  whole: {whole:#?}",
                    case.name
                ),
            },
        )
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
