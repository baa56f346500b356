//! The table in DynamoDB, from the command line and when a server starts.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::support::app::TestApp;
use crate::support::emulator::{Emulator, new_table_name, settings_at, store_at};
use crate::support::proxy::{Fault, Proxy};

/// A table, or a place for one, and the commands on it.
pub(super) struct Setting {
    pub emulator: Emulator,
    pub table: String,
}

impl Setting {
    fn new() -> Self {
        Self::of(Emulator::dynoxide(), new_table_name())
    }

    pub(super) fn of(emulator: Emulator, table: String) -> Self {
        Self { emulator, table }
    }

    /// Runs `blue-faas` with these arguments, on the table.
    fn run(&self, arguments: &[&str]) -> Output {
        let data = tempfile::tempdir().expect("a folder");
        blue_faas(data.path())
            .args(arguments)
            .envs(
                settings_at(&self.emulator.url(), &self.table)
                    .iter()
                    .copied(),
            )
            .output()
            .expect("the server is built")
    }

    /// What a command that must succeed says.
    #[track_caller]
    pub(super) fn said(&self, arguments: &[&str]) -> String {
        said(self.run(arguments))
    }
}

fn blue_faas(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blue-faas"));
    command
        .env_clear()
        .env("BLUE_FAAS_ADDR", "127.0.0.1:0")
        .env("BLUE_FAAS_FUNCTIONS_ADDR", "127.0.0.1:0")
        .env("BLUE_FAAS_DATA_DIR", data)
        .current_dir(data);
    command
}

/// What a command that succeeded said.
#[track_caller]
fn said(output: Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).expect("a text")
}

/// The line a command that failed said.
#[track_caller]
fn refused(output: Output) -> String {
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).expect("a text");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    error
}

#[test]
fn a_missing_table_is_named_with_the_command_that_makes_it() {
    let setting = Setting::new();
    let line = refused(setting.run(&[]));
    assert!(
        line.contains(&format!("there is no table {}", setting.table)),
        "{line}"
    );
    assert!(line.contains("`blue-faas table create`"), "{line}");
}

#[test]
fn what_keeps_the_table_away_is_one_line() {
    let data = tempfile::tempdir().expect("a folder");
    let nobody = blue_faas(data.path())
        .args(["table", "create"])
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output();
    let line = refused(nobody.expect("the server is built"));
    assert!(line.contains("set AWS_ACCESS_KEY_ID"), "{line}");
    let nowhere = blue_faas(data.path())
        .args(["table", "create"])
        .envs(settings_at("http://127.0.0.1:1", "table").iter().copied())
        .output();
    let line = refused(nowhere.expect("the server is built"));
    assert!(line.contains("DynamoDB cannot be reached"), "{line}");
}

#[test]
fn a_table_is_made_once() {
    let setting = Setting::new();
    assert!(
        setting
            .said(&["table", "create"])
            .starts_with("Made the table")
    );
    assert!(setting.said(&["table", "create"]).contains("is there"));
}

#[tokio::test]
async fn a_table_with_other_keys_is_refused() {
    let setting = Setting::new();
    let create = serde_json::json!({
        "TableName": setting.table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    });
    setting.emulator.ask("CreateTable", &create).await;
    for arguments in [&[][..], &["table", "create"]] {
        let line = refused(setting.run(arguments));
        assert!(line.contains("has the keys id (HASH S)"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_stays_busy_is_told_with_when_to_come_back() {
    let (emulator, table) = (Emulator::dynoxide(), new_table_name());
    let created = store_at(&emulator.url(), &table).await.create_table().await;
    created.expect("a table");
    let proxy = Proxy::before(&emulator.url()).await;
    let app = TestApp::start_with(settings_at(&proxy.url, &table));
    proxy.always(Fault::Refused("ProvisionedThroughputExceededException"));
    let begin = Instant::now();
    let answer = app.get("/api/workspaces").await;
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
    answer.refused(503, "OVERLOADED");
    assert_eq!(answer.header("retry-after"), "1");
}

#[test]
fn a_template_is_printed_without_asking_anyone() {
    let data = tempfile::tempdir().expect("a folder");
    for (format, word) in [
        ("cloudformation", "AWS::DynamoDB::Table"),
        ("terraform", "aws_dynamodb_table"),
    ] {
        let output = blue_faas(data.path())
            .args(["table", "print", "--format", format])
            .env("DYNAMODB_TABLE_NAME", "our-table")
            .output()
            .expect("the server is built");
        let text = said(output);
        assert!(text.contains(word) && text.contains("our-table"), "{text}");
    }
}
