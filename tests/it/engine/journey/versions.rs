//! Versions: read, compared, labelled, deployed again, kept.

use serde_json::{Value, json};
use std::time::{Duration, Instant};

use super::{BUILD_TIMEOUT, build_with, has_ended, task_when, versions};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace, text};

const APP: &str = "versioned";
const FIRST: &str = r#"import os
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        while request.uri.endswith("/forever"):
            pass
        status = 500 if request.uri.endswith("/fail") else 200
        answer = "one " + os.environ.get("TOKEN", "")
        return Response(status, {"x-blue-version": "99"}, answer.encode())
"#;

/// A function whose versions are made one after the other.
pub(super) struct Versioned {
    pub(super) app: TestApp,
    pub(super) function: Function,
}

impl Versioned {
    /// With version 1 serving.
    pub(super) async fn begin(name: &str, python: &str, environment: Value) -> Self {
        let app = TestApp::start_for_builds();
        let workspace = a_workspace().create(&app).await;
        let function = a_function()
            .with("environmentVariables", environment)
            .create(&app, &workspace)
            .await;
        let versioned = Self { app, function };
        let image = versioned.build(python).await;
        let request = json!({"app_name": name, "namespace": "default", "image_ref": image});
        let deployed = versioned.app.post("/api/v1/deploy", &request).await;
        deployed.with_status(200);
        versioned
    }

    /// Makes the next version and answers its image.
    pub(super) async fn build(&self, python: &str) -> String {
        self.build_as(python, &[]).await
    }

    /// The same with more fields in the request.
    async fn build_as(&self, python: &str, fields: &[(&str, &str)]) -> String {
        let id = build_with(&self.app, &self.function, python, fields).await;
        let built = task_when(&self.app, &id, BUILD_TIMEOUT, has_ended).await;
        assert_eq!(built["status"], "done", "{built}");
        text(&built["result"], "image_url")
    }

    pub(super) fn path(&self, rest: &str) -> String {
        format!("/api/v1/functions/{}{rest}", self.function.id)
    }

    pub(super) async fn get(&self, rest: &str) -> Answer {
        self.app.get(&self.path(rest)).await
    }

    pub(super) async fn post(&self, rest: &str, body: Value) -> Answer {
        self.app.post(&self.path(rest), &body).await
    }

    async fn mark(&self, version: u32, body: Value) -> Answer {
        let path = self.path(&format!("/versions/{version}"));
        self.app.patch(&path, &body).await
    }

    async fn numbers(&self) -> Vec<u64> {
        let versions = versions(&self.app, &self.function).await;
        let rows = versions.as_array().into_iter().flatten();
        rows.filter_map(|version| version["number"].as_u64())
            .collect()
    }
}

#[tokio::test]
async fn versions_are_read_compared_labelled_rolled_back_and_kept() {
    let environment = json!({"TOKEN": "s3cret-1", "OLD": "s3cret-old"});
    let mut story = Versioned::begin(APP, FIRST, environment).await;
    let changed = json!({
        "environmentVariables": {"TOKEN": "s3cret-2", "NEW": "s3cret-new"},
        "timeout": 1, "allowedOutboundHosts": ["https://api.example.com"],
    });
    story
        .app
        .patch(&story.function.path(), &changed)
        .await
        .with_status(200);
    story.build(&FIRST.replace("one", "two")).await;
    story.a_version_is_read_without_its_values().await;
    story.two_versions_are_compared().await;
    story.the_console_shows_what_differs().await;
    story.labels_move_and_are_checked().await;
    story.answers_name_their_version().await;
    story.a_version_takes_over_and_gives_back().await;
    story
        .a_version_is_deployed_whatever_its_image_is_called()
        .await;
    story.what_is_marked_or_serves_is_kept().await;
}

impl Versioned {
    async fn a_version_is_read_without_its_values(&self) {
        let answer = self.get("/versions/1").await;
        assert!(!answer.text().contains("s3cret"), "{}", answer.text());
        let version = answer.with_status(200);
        assert_eq!(version["number"], 1);
        assert_eq!(version["serving"], true);
        assert_eq!(version["pinned"], false);
        assert_eq!(version["labels"], json!([]));
        assert_eq!(version["entry"], "app.py");
        assert_eq!(
            version["files"],
            json!([{"path": "app.py", "size": FIRST.len(), "content": FIRST}])
        );
        let masked = json!({"OLD": "***", "TOKEN": "***"});
        assert_eq!(version["configuration"]["environment"], masked);
        let list = self.get("/versions").await;
        assert!(!list.text().contains("s3cret"), "{}", list.text());
        assert_eq!(list.with_status(200)[0]["serving"], false);

        self.get("/versions/9").await.refused(404, "NOT_FOUND");
        for wrong in ["0", "latest", "-1"] {
            let refused = self.get(&format!("/versions/{wrong}")).await;
            assert_eq!(refused.refused_field(), "version");
        }
    }

    async fn two_versions_are_compared(&self) {
        let answer = self.get("/versions/1/diff/2").await;
        assert!(!answer.text().contains("s3cret"), "{}", answer.text());
        let diff = answer.with_status(200);
        let files = diff["files"].as_array().expect("a list");
        assert_eq!(files.len(), 1);
        assert_eq!(files[0]["path"], "app.py");
        assert_eq!(files[0]["change"], "changed");
        let lines = files[0]["hunks"][0]["lines"].as_array().expect("lines");
        let changed: Vec<(&Value, &Value)> = lines
            .iter()
            .filter(|line| line["side"] != "context")
            .map(|line| (&line["side"], &line["text"]))
            .collect();
        let line = |word: &str| {
            json!(format!(
                "        answer = \"{word} \" + os.environ.get(\"TOKEN\", \"\")"
            ))
        };
        assert_eq!(
            changed,
            [
                (&json!("removed"), &line("one")),
                (&json!("added"), &line("two"))
            ]
        );
        assert_eq!(
            diff["configuration"],
            json!([{"field": "timeout", "old": 30, "new": 1}])
        );
        assert_eq!(
            diff["environment"],
            json!({"added": ["NEW"], "removed": ["OLD"], "changed": ["TOKEN"]})
        );
        assert_eq!(
            diff["allowed_outbound_hosts"]["added"],
            json!(["https://api.example.com"])
        );
        let same = self.get("/versions/2/diff/2").await.with_status(200);
        assert_eq!(
            (&same["files"], &same["configuration"]),
            (&json!([]), &json!([]))
        );
        let missing = self.get("/versions/1/diff/7").await;
        missing.refused(404, "NOT_FOUND");
    }

    async fn the_console_shows_what_differs(&self) {
        let function = format!(
            "/workspaces/{}/functions/{}",
            self.function.workspace, self.function.id
        );
        let page = self
            .app
            .get(&format!("{function}/versions/2?against=1"))
            .await;
        assert_eq!(page.status, 200);
        let text = page.text();
        for shown in [
            "What v2 has other than v1",
            "Variable TOKEN",
            "https://api.example.com",
        ] {
            assert!(text.contains(shown), "{shown}");
        }
        // The page holds the function as it is now, and nothing of what an earlier version's variables were.
        assert!(!text.contains("s3cret-1") && !text.contains("s3cret-old"));
        let missing = self.app.get(&format!("{function}/versions/9")).await;
        assert_eq!(missing.status, 404);
        let deploy = self.app.get(&format!("{function}/deploy")).await.text();
        assert!(
            deploy.contains("Deploy this version"),
            "version 2 can serve"
        );
    }

    async fn labels_move_and_are_checked(&self) {
        let marked = self.mark(1, json!({"labels": ["stable", "first"]})).await;
        assert_eq!(
            marked.with_status(200)["labels"],
            json!(["first", "stable"])
        );
        let marked = self
            .mark(2, json!({"labels": ["stable"], "pinned": true}))
            .await
            .with_status(200);
        assert_eq!(
            (&marked["labels"], &marked["pinned"]),
            (&json!(["stable"]), &json!(true))
        );
        let first = self.get("/versions/1").await.with_status(200);
        assert_eq!(first["labels"], json!(["first"]));
        // What is left out stays.
        let unpinned = self.mark(2, json!({"pinned": false})).await;
        assert_eq!(unpinned.with_status(200)["labels"], json!(["stable"]));
        for (body, field) in [
            (json!({"labels": ["Not this"]}), "labels"),
            (json!({"labels": "stable"}), "labels"),
            (
                json!({"labels": (0..11).map(|n| format!("l{n}")).collect::<Vec<_>>()}),
                "labels",
            ),
            (json!({"pinned": "yes"}), "pinned"),
        ] {
            assert_eq!(self.mark(2, body).await.refused_field(), field);
        }
        let missing = self.mark(9, json!({"pinned": true})).await;
        missing.refused(404, "NOT_FOUND");
    }

    /// Version 1 serves with the settings of now: a second at most.
    async fn answers_name_their_version(&self) {
        for (path, status) in [("/", 200), ("/fail", 500), ("/forever", 504)] {
            let answer = self.app.call(APP, path).await;
            assert_eq!(answer.status, status, "{}", answer.text());
            let named: Vec<_> = answer.headers.get_all("x-blue-version").iter().collect();
            assert_eq!(named, ["1"], "not the function's own");
        }
    }

    async fn a_version_takes_over_and_gives_back(&self) {
        for (version, answer) in [(2, "two s3cret-2"), (1, "one s3cret-1")] {
            let deployed = self
                .post(&format!("/versions/{version}/deploy"), json!({}))
                .await;
            assert_eq!(deployed.with_status(200)["app_name"], APP);
            assert_eq!(self.app.call(APP, "/").await.text(), answer);
            let function = self.function.read(&self.app).await;
            assert_eq!(function["deployedVersion"], version);
        }
        let missing = self.post("/versions/9/deploy", json!({})).await;
        missing.refused(404, "NOT_FOUND");
    }

    /// Versions 3 and 4 are pushed under one tag, which then names the later one.
    async fn a_version_is_deployed_whatever_its_image_is_called(&self) {
        let tag = [("tag", "latest")];
        let image = self.build_as(&FIRST.replace("one", "three"), &tag).await;
        let latest = self.build_as(&FIRST.replace("one", "four"), &tag).await;
        assert_eq!(image, latest);
        let mut deployments = Vec::new();
        for (version, answer) in [(3, "three s3cret-2"), (4, "four s3cret-2")] {
            let deployed = self
                .post(&format!("/versions/{version}/deploy"), json!({}))
                .await;
            deployed.with_status(200);
            assert_eq!(self.app.call(APP, "/").await.text(), answer);
            let listed = self.get("/deployments").await.with_status(200);
            deployments.push(text(&listed[0], "id"));
        }
        let again = format!("/api/v1/deployments/{}/redeploy", deployments[0]);
        self.app.post(&again, &json!({})).await.with_status(200);
        assert_eq!(self.app.call(APP, "/").await.text(), "three s3cret-2");
        let request = json!({"app_name": APP, "namespace": "default", "image_ref": latest});
        let deployed = self.app.post("/api/v1/deploy", &request).await;
        deployed.with_status(200);
        assert_eq!(self.app.call(APP, "/").await.text(), "four s3cret-2");
        self.post("/versions/1/deploy", json!({}))
            .await
            .with_status(200);
    }

    async fn what_is_marked_or_serves_is_kept(&mut self) {
        self.build(FIRST).await;
        assert_eq!(self.numbers().await, [5, 4, 3, 2, 1]);
        self.mark(3, json!({"pinned": true})).await.with_status(200);
        self.mark(1, json!({"labels": []})).await.with_status(200);
        self.app
            .start_again_with(&[("BLUE_FAAS_KEEP_VERSIONS", "1")]);
        let deadline = Instant::now() + Duration::from_mins(1);
        while self.numbers().await.contains(&4) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // The newest, the pinned, the labelled one, and the one that serves.
        assert_eq!(self.numbers().await, [5, 3, 2, 1]);
        let read = self.get("/versions/2").await.with_status(200);
        assert_eq!(read["labels"], json!(["stable"]));
        assert!(text(&read["files"][0], "content").contains("two"));
    }
}
