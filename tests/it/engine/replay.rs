//! Recorded requests made again on other versions and drafts: what differs is told, and nothing else notices.

use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

use super::journey::{BUILD_TIMEOUT, build_and_push, has_ended, task_when};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace, base64, text};

const SOURCE: &str = include_str!("../../fixtures/replay.py");
const APP: &str = "journey-app";
/// Executions that nobody waits for are written in groups; after this all of them are.
const WRITTEN: Duration = Duration::from_millis(1_500);

fn source(version: &str) -> String {
    SOURCE.replace("VERSION", version)
}

#[tokio::test]
async fn recorded_requests_run_again_beside_what_serves() {
    let story = Story::begin().await;
    story.a_version_answers_as_it_did().await;
    story.a_replay_on_what_serves_names_each_difference().await;
    story.a_replay_on_a_draft_needs_no_build().await;
    story.what_cannot_be_repeated_is_said().await;
    story.versions_run_with_the_settings_of_now().await;
    story.nothing_is_counted_listed_or_replaced().await;
    story.the_last_requests_are_checked_on_one_draft().await;
    story.a_check_names_what_it_leaves_out().await;
}

struct Story {
    app: TestApp,
    function: Function,
    /// The execution of each path, recorded on version 1.
    recorded: Vec<Value>,
    /// As it was read when all calls were made.
    before: Value,
}

impl Story {
    /// Version 1 answers some requests, then version 2 serves.
    async fn begin() -> Self {
        let app = TestApp::start_for_builds();
        let workspace = a_workspace().create(&app).await;
        let function = a_function()
            .with("httpMethods", json!(["GET", "POST"]))
            .with("environmentVariables", json!({"GREETING": "hi"}))
            .with_code(&source("v1"))
            .create(&app, &workspace)
            .await;
        deploy(&app, &function, "v1").await;
        let bytes: &[u8] = b"\xff\xfe";
        let large = "a".repeat(64 * 1024 + 1);
        let post = |path| app.function_request(Method::POST, APP, path);
        let get = |path| app.function_request(Method::GET, APP, path);
        for request in [
            post("/bytes").body(bytes),
            post("/large").body(large),
            post("/order")
                .header("content-type", "application/json")
                .body("{\"b\": 1,  \"a\": [2]}"),
            get("/same"),
            get("/told?a=1").bearer_auth("hunter2"),
        ] {
            assert_eq!(Answer::of(request).await.status, 200);
        }
        deploy(&app, &function, "v2").await;
        let logs = app.get(&format!("{}/logs", function.path())).await;
        let recorded = logs.with_status(200)["logs"].as_array().cloned();
        Self {
            recorded: recorded.expect("a list"),
            before: function.read(&app).await,
            app,
            function,
        }
    }

    fn id(&self, path: &str) -> String {
        let found = self.recorded.iter().find(|one| one["path"] == path);
        text(found.expect("it was called"), "id")
    }

    async fn replay(&self, path: &str, on: &Value) -> Answer {
        let path = format!(
            "{}/executions/{}/replay",
            self.function.path(),
            self.id(path)
        );
        self.app.post(&path, on).await
    }

    async fn check(&self, request: &Value) -> Answer {
        let path = format!("{}/check", self.function.path());
        self.app.post(&path, request).await
    }

    async fn a_version_answers_as_it_did(&self) {
        for path in ["/told", "/same", "/order"] {
            let answer = self.replay(path, &json!({"version": 1})).await;
            let answer = answer.with_status(200);
            let (before, after) = (&answer["original"], &answer["replay"]);
            assert_eq!(before["id"], self.id(path));
            assert_eq!(
                (&after["trigger"], &after["version"]),
                (&json!("replay"), &json!(1))
            );
            if path == "/told" {
                // Only the token is gone, which no record holds.
                assert_eq!(after["responseBody"]["token"], Value::Null);
                assert_eq!(
                    after["responseBody"]["url"], before["responseBody"]["url"],
                    "the address is that of the recorded call"
                );
            } else if path == "/same" {
                assert_eq!(
                    answer["differences"],
                    json!({"status": null, "headers": [], "body": null, "incomplete": false})
                );
                assert_eq!(answer["altered"], json!([]));
            } else {
                assert_eq!(
                    answer["altered"],
                    json!([{"field": "requestBody", "reason": "rewritten"}])
                );
                assert_eq!(after["responseBody"]["body"], "{\"a\":[2],\"b\":1}");
            }
        }
    }

    async fn a_replay_on_what_serves_names_each_difference(&self) {
        let answer = self.replay("/told", &json!({})).await.with_status(200);
        assert_eq!(answer["replay"]["version"], 2);
        let differences = &answer["differences"];
        assert_eq!(differences["status"], Value::Null);
        assert_eq!(
            differences["headers"],
            json!([{"name": "x-made-by", "before": ["v1"], "after": ["v2"]}])
        );
        let changed: Vec<String> = differences["body"]["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .filter(|line| line["side"] == "removed" || line["side"] == "added")
            .map(|line| text(line, "text").trim().to_owned())
            .collect();
        assert_eq!(
            changed,
            [
                "\"token\": \"Bearer hunter2\",",
                "\"token\": null,",
                "\"version\": \"v1\"",
                "\"version\": \"v2\""
            ]
        );
        assert_eq!(
            answer["altered"],
            json!([{"field": "requestHeaders.authorization", "reason": "masked"}])
        );
    }

    async fn a_replay_on_a_draft_needs_no_build(&self) {
        let draft = json!({"code": base64(&source("typed"))});
        let answer = self.replay("/told", &draft).await.with_status(200);
        let after = &answer["replay"];
        assert_eq!(after["responseBody"]["version"], "typed");
        assert_eq!(
            (&after["trigger"], &after["version"]),
            (&json!("replay"), &Value::Null)
        );
        let broken = json!({"code": base64("x = (")});
        let refused = self.replay("/told", &broken).await;
        assert_eq!(refused.refused_field(), "code");
    }

    async fn what_cannot_be_repeated_is_said(&self) {
        for path in ["/bytes", "/large"] {
            let refused = self.replay(path, &json!({"version": 1})).await;
            assert_eq!(refused.refused_field(), "requestBody", "{path}");
        }
        let unknown = self.replay("/same", &json!({"version": 9})).await;
        assert_eq!(
            unknown.refused(404, "NOT_FOUND").field.as_deref(),
            Some("version")
        );
        let both = json!({"version": 1, "code": base64(SOURCE)});
        assert_eq!(self.replay("/same", &both).await.refused_field(), "version");
        let path = format!(
            "{}/executions/0198a1b2-0000-7000-8000-000000000000/replay",
            self.function.path()
        );
        let missing = self.app.post(&path, &json!({})).await;
        missing.refused(404, "NOT_FOUND");
    }

    async fn versions_run_with_the_settings_of_now(&self) {
        let change = |greeting: &str| json!({"environmentVariables": {"GREETING": greeting}});
        let path = self.function.path();
        self.app.patch(&path, &change("hello")).await;
        let answer = self.replay("/told", &json!({"version": 1})).await;
        let greeting = &answer.with_status(200)["replay"]["responseBody"]["greeting"];
        assert_eq!(greeting, "hello");
        self.app.patch(&path, &change("hi")).await;
    }

    async fn nothing_is_counted_listed_or_replaced(&self) {
        tokio::time::sleep(WRITTEN).await;
        let path = self.function.path();
        let logs = self.app.get(&format!("{path}/logs")).await;
        assert_eq!(logs.with_status(200)["logs"], json!(self.recorded));
        let asked = self.app.get(&format!("{path}/logs?trigger=replay")).await;
        assert_eq!(asked.with_status(200)["total"], 6);
        let lines = format!("/api/functions/{}/loki-logs", self.function.id);
        let lines = self.app.get(&lines).await.with_status(200);
        assert_eq!(lines["total"], 5, "{lines}");
        let after = self.function.read(&self.app).await;
        for field in ["invocations24h", "errors24h", "deployedVersion", "status"] {
            assert_eq!(after[field], self.before[field], "{field}");
        }
        let answer = self.app.call(APP, "/told").await.with_status(200);
        assert_eq!(answer["version"], "v2");
    }

    async fn the_last_requests_are_checked_on_one_draft(&self) {
        let draft = json!({"code": base64(&source("typed")), "request": {"path": "/made"}});
        let run = format!("{}/draft", self.function.path());
        let stamp = async || {
            let made = self.app.post(&run, &draft).await.with_status(200);
            made["responseBody"].clone()
        };
        assert_ne!(stamp().await, stamp().await, "each draft is made anew");

        for _ in 0..3 {
            self.app.call(APP, "/made").await.with_status(200);
        }
        tokio::time::sleep(WRITTEN).await;
        let request = json!({"code": base64(&source("typed")), "last": 3});
        let check = self.check(&request).await.with_status(200);
        assert_eq!(check["summary"]["different"], 3, "{check}");
        let path = format!("{}/logs?trigger=replay&limit=3", self.function.path());
        let ran = self.app.get(&path).await.with_status(200);
        let stamps: Vec<&Value> = ran["logs"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| &one["responseBody"])
            .collect();
        assert_eq!(stamps.len(), 3);
        assert!(stamps.iter().all(|one| *one == stamps[0]), "{stamps:?}");
    }

    async fn a_check_names_what_it_leaves_out(&self) {
        let draft = base64(&source("typed"));
        let check = self.check(&json!({"code": draft})).await.with_status(200);
        let told: Vec<(String, String)> = rows(&check);
        let row = |path: &str, verdict: &str| (path.to_owned(), verdict.to_owned());
        assert_eq!(
            told,
            [
                row("/made", "different"),
                row("/made", "different"),
                row("/made", "different"),
                row("/told", "different"),
                row("/told", "different"),
                row("/same", "same"),
            ]
        );
        assert_eq!(
            check["summary"],
            json!({"same": 1, "different": 5, "notRepeatable": 0, "notRun": 0, "lookedAt": 9})
        );
        let first = &check["rows"][4];
        assert_eq!(first["original"]["id"], self.id("/told"));
        assert_eq!(first["original"]["statusCode"], 200);
        assert!(first["replay"]["duration"].is_number());
        assert_eq!(first["differences"], 2, "a header and the body");
        assert_eq!(
            first["altered"],
            json!([{"field": "requestHeaders.authorization", "reason": "masked"}])
        );

        let all = json!({"version": 1, "methods": "all", "last": 50});
        let check = self.check(&all).await.with_status(200);
        assert_eq!(
            rows(&check)[5..],
            [
                row("/same", "same"),
                row("/order", "different"),
                row("/large", "notRepeatable"),
                row("/bytes", "notRepeatable"),
            ]
        );
        assert_eq!(check["rows"][8]["field"], "requestBody");
        for (request, field) in [
            (json!({"last": 0}), "last"),
            (json!({"last": 51}), "last"),
            (json!({"methods": "GET"}), "methods"),
            (json!({"code": base64("x = (")}), "code"),
        ] {
            assert_eq!(self.check(&request).await.refused_field(), field);
        }
    }
}

/// Each row's path and verdict.
fn rows(check: &Value) -> Vec<(String, String)> {
    let rows = check["rows"].as_array().expect("rows").iter();
    rows.map(|row| (text(row, "path"), text(row, "verdict")))
        .collect()
}

async fn deploy(app: &TestApp, function: &Function, version: &str) {
    let id = build_and_push(app, function, &source(version)).await;
    let built = task_when(app, &id, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(built["status"], "done", "{built}");
    let request = json!({
        "app_name": "Journey App", "namespace": "default", "function_id": function.id,
        "image_ref": text(&built["result"], "image_url"),
    });
    app.post("/api/v1/deploy", &request).await.with_status(200);
}
