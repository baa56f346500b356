//! What documents tell clients to type works as it stands there.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::support::app::TestApp;
use crate::support::builders::text;
use crate::support::moto::test_python;

/// Runs it in a folder of its own.
fn run(mut command: Command) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let output = command
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("the program is there");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn repository(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)
}

#[tokio::test]
async fn the_deployment_flow_of_the_first_systems_documents() {
    let app = TestApp::start_for_builds();
    let mut command = Command::new(test_python());
    command
        .arg(repository("tests/fixtures/deployment_flow.py"))
        .arg(app.console());
    let output = tokio::task::spawn_blocking(|| run(command));
    let printed = output.await.expect("it ran").stdout;
    let steps: Vec<Value> = String::from_utf8_lossy(&printed)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let answers: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["answer"].as_str())
        .collect();
    assert_eq!(answers, ["first", "first", "second", "first"]);
    let apps: Vec<String> = steps
        .iter()
        .map(|step| text(&step["result"], "app_name"))
        .collect();
    let words: Vec<&str> = apps[0].split('-').collect();
    assert!(words.len() == 4 && words[0] == "spin", "{}", apps[0]);
    assert_eq!(apps[1..], ["my-function", "my-function", "my-function"]);
    for step in &steps {
        assert_eq!(step["result"]["service_status"], "found");
        assert_eq!(step["result"]["error"], Value::Null);
    }
    assert_ne!(steps[2]["image"], steps[3]["image"]);
    // The new app went on beside what was deployed under the name.
    assert_eq!(app.call(&apps[0], "/").await.text(), "first");
}

/// The first block of commands under a heading.
fn commands(document: &str, heading: &str) -> String {
    let text = std::fs::read_to_string(repository(document)).expect("the document");
    let (_, section) = text.split_once(heading).expect("the heading");
    let (_, block) = section.split_once("```sh\n").expect("a block");
    block.split("```").next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_journey_of_the_guide() {
    let app = TestApp::start_for_builds();
    let script = commands("docs/API.md", "## A journey");
    assert!(script.contains("http://127.0.0.1:3000"));
    let script = script.replace("http://127.0.0.1:3000", app.console());
    // Who liked it takes it again, on the same server.
    for _ in 0..2 {
        let mut command = Command::new("bash");
        command.args(["-c", &script]);
        let output = tokio::task::spawn_blocking(|| run(command));
        let printed = output.await.expect("it ran").stdout;
        let printed = String::from_utf8_lossy(&printed);
        let mut rest = &*printed;
        // In this order: the first call, its line, the update, the rollback.
        for expected in ["one", "asked for", "two", "one"] {
            let (_, after) = rest
                .split_once(expected)
                .unwrap_or_else(|| panic!("no {expected} in\n{printed}"));
            rest = after;
        }
    }
}
