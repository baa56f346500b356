//! A version on trial: it takes a share of the calls, returns by itself when it fails, and is promoted.

use futures::future::{join, join_all};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::versions::Versioned;

const APP: &str = "on-trial";
const GOOD: &str = r#"import os
import time
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        if request.uri.endswith("/slow"):
            time.sleep(1)
        return Response(200, {}, os.environ.get("GREETING", "Hello").encode())
"#;

#[tokio::test]
async fn a_version_on_trial_takes_its_share_and_serves_or_returns() {
    let mut story = Versioned::begin(APP, GOOD, json!({})).await;
    let bad = GOOD.replace("Response(200", "Response(500");
    let image = story.build(&bad).await;
    story.build(&GOOD.replace("Hello", "Hello again")).await;
    story.a_canary_is_asked_for_in_full().await;
    story.a_failing_canary_returns_by_itself(&image).await;
    story.a_canary_begins_and_ends_without_a_failed_call().await;
    story.a_late_call_of_an_ended_canary_ends_no_other().await;
    story
        .a_canary_survives_a_kill_and_follows_the_settings()
        .await;
    story.a_promoted_canary_serves().await;
    story.a_deployment_ends_a_canary(&image).await;
}

impl Versioned {
    async fn canary(&self) -> Value {
        self.get("/canary").await.with_status(200)
    }

    async fn start(&self, plan: Value) -> Value {
        self.post("/canary", plan).await.with_status(201)
    }

    /// How many of so many calls each version took, by status.
    async fn calls(&self, count: usize) -> BTreeMap<(String, u16), usize> {
        let mut taken = BTreeMap::new();
        for _ in 0..count {
            let answer = self.app.call(APP, "/").await;
            let version = answer.header("x-blue-version").to_owned();
            *taken.entry((version, answer.status.as_u16())).or_default() += 1;
        }
        taken
    }

    async fn a_canary_is_asked_for_in_full(&self) {
        self.get("/canary").await.refused(404, "NOT_FOUND");
        for (plan, field) in [
            (json!({"percent": 10}), "version"),
            (json!({"version": 2}), "percent"),
            (json!({"version": 2, "percent": 0}), "percent"),
            (json!({"version": 2, "percent": 100}), "percent"),
            (
                json!({"version": 2, "percent": 10, "margin": 101}),
                "margin",
            ),
            (
                json!({"version": 2, "percent": 10, "min_calls": 0}),
                "min_calls",
            ),
            (json!({"version": 1, "percent": 10}), "version"),
        ] {
            let refused = self.post("/canary", plan).await;
            assert_eq!(refused.refused_field(), field);
        }
        let missing = self
            .post("/canary", json!({"version": 9, "percent": 10}))
            .await;
        assert_eq!(
            missing.refused(404, "NOT_FOUND").field.as_deref(),
            Some("version")
        );
        for nothing in [
            self.post("/canary/promote", json!({})).await,
            self.app.delete(&self.path("/canary")).await,
        ] {
            nothing.refused(404, "NOT_FOUND");
        }
    }

    async fn a_failing_canary_returns_by_itself(&self, image: &str) {
        let started = self
            .start(json!({"version": 2, "percent": 50, "min_calls": 10}))
            .await;
        assert_eq!(started["state"], "running");
        assert_eq!(started["serving_version"], 1);
        assert_eq!(
            (&started["margin"], &started["min_calls"]),
            (&json!(5), &json!(10))
        );
        self.the_canarys_name_is_nobody_elses(image).await;

        // It has 10 of 200 calls at least, unless one in 10^40 chances comes true.
        let taken = self.calls(200).await;
        let failed = taken[&("2".to_owned(), 500)];
        assert_eq!(failed, 10, "no call more than it takes to know: {taken:?}");
        assert_eq!(taken[&("1".to_owned(), 200)], 190);
        let ended = self.canary().await;
        assert_eq!(ended["state"], "returned");
        assert_eq!(
            ended["counts"]["canary"],
            json!({"calls": 10, "errors": 10})
        );
        assert_eq!(ended["counts"]["serving"]["errors"], 0);
        let reason = ended["reason"].as_str().unwrap_or_default();
        assert!(reason.starts_with("Of 10 calls 100.0 % failed"), "{reason}");
        assert_eq!(self.function.read(&self.app).await["deployedVersion"], 1);
    }

    async fn the_canarys_name_is_nobody_elses(&self, image: &str) {
        let name = format!("{APP}-canary");
        let called = self.app.call(&name, "/").await;
        called.refused(404, "NOT_FOUND");
        let other = json!({"app_name": name, "namespace": "default", "image_ref": image});
        let deployed = self.app.post("/api/v1/deploy", &other).await;
        let refused = deployed.refused(409, "CONFLICT");
        assert_eq!(refused.field.as_deref(), Some("app_name"));
        let second = self
            .post("/canary", json!({"version": 3, "percent": 10}))
            .await;
        second.refused(409, "CONFLICT");
    }

    async fn a_canary_begins_and_ends_without_a_failed_call(&self) {
        let stop = AtomicBool::new(false);
        let turns = async {
            for _ in 0..5 {
                self.start(json!({"version": 3, "percent": 50})).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
                let ended = self.app.delete(&self.path("/canary")).await;
                assert_eq!(ended.with_status(200)["state"], "ended");
            }
            stop.store(true, Ordering::Relaxed);
        };
        let callers = join_all((0..4).map(|_| async {
            let mut versions = BTreeSet::new();
            while !stop.load(Ordering::Relaxed) {
                let answer = self.app.call(APP, "/").await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                versions.insert(answer.header("x-blue-version").to_owned());
            }
            versions
        }));
        let (versions, ()) = join(callers, turns).await;
        let versions: BTreeSet<String> = versions.into_iter().flatten().collect();
        assert_eq!(versions, BTreeSet::from(["1".to_owned(), "3".to_owned()]));
        assert_eq!(
            self.calls(20).await.len(),
            1,
            "the serving version has all calls again"
        );
    }

    async fn a_late_call_of_an_ended_canary_ends_no_other(&self) {
        self.start(json!({"version": 2, "percent": 99, "min_calls": 1}))
            .await;
        // Each of them is drawn for the canary, unless one in 10^8 chances comes true.
        let late = join_all((0..4).map(|_| self.app.call(APP, "/slow")));
        let next = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let ended = self.app.delete(&self.path("/canary")).await;
            ended.with_status(200);
            self.start(json!({"version": 3, "percent": 50})).await;
        };
        let (late, ()) = join(late, next).await;
        assert!(late.iter().any(|answer| answer.status == 500));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let newest = self.canary().await;
        assert_eq!(
            (&newest["version"], &newest["state"]),
            (&json!(3), &json!("running"))
        );
        let ended = self.app.delete(&self.path("/canary")).await;
        ended.with_status(200);
    }

    async fn a_canary_survives_a_kill_and_follows_the_settings(&mut self) {
        self.start(json!({"version": 3, "percent": 50})).await;
        self.app.kill();
        self.app.start_again();
        assert_eq!(self.canary().await["state"], "running");
        let change = json!({"environmentVariables": {"GREETING": "Changed"}});
        let path = self.function.path();
        self.app.patch(&path, &change).await.with_status(200);
        for _ in 0..20 {
            assert_eq!(self.app.call(APP, "/").await.text(), "Changed");
        }
        let taken = self.calls(60).await;
        assert_eq!(taken.len(), 2, "{taken:?}");
        let counts = self.canary().await["counts"].clone();
        let calls = |of: &str| counts[of]["calls"].as_u64().unwrap_or_default();
        assert_eq!(calls("canary") + calls("serving"), 80, "{counts}");
        // Executions say which version it was.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let logs = format!("{path}/logs?limit=60");
        let listed = self.app.get(&logs).await.with_status(200);
        let rows = listed["logs"].as_array().expect("a list").iter();
        let on_trial = rows.filter(|row| row["version"] == 3).count();
        assert_eq!(on_trial, taken[&("3".to_owned(), 200)]);
    }

    async fn a_promoted_canary_serves(&self) {
        let promoted = self.post("/canary/promote", json!({})).await;
        assert_eq!(promoted.with_status(200)["state"], "promoted");
        assert_eq!(
            self.calls(20).await,
            BTreeMap::from([(("3".to_owned(), 200), 20)])
        );
        assert_eq!(self.function.read(&self.app).await["deployedVersion"], 3);
        self.post("/canary/promote", json!({}))
            .await
            .refused(404, "NOT_FOUND");
    }

    async fn a_deployment_ends_a_canary(&self, image: &str) {
        self.start(json!({"version": 1, "percent": 50})).await;
        self.calls(10).await;
        let path = self.function.path();
        let change = json!({"environmentVariables": {}});
        self.app.patch(&path, &change).await.with_status(200);
        let counts = self.canary().await["counts"].clone();
        let calls = |of: &str| counts[of]["calls"].as_u64().unwrap_or_default();
        assert_eq!(
            calls("canary") + calls("serving"),
            10,
            "a change of the settings begins no new count"
        );
        let request = json!({"app_name": APP, "namespace": "default", "image_ref": image});
        let deployed = self.app.post("/api/v1/deploy", &request).await;
        deployed.with_status(200);
        let ended = self.canary().await;
        assert_eq!(ended["state"], "superseded");
        assert_eq!(ended["reason"], "Version 2 was deployed.");
        assert_eq!(
            self.calls(20).await,
            BTreeMap::from([(("2".to_owned(), 500), 20)])
        );

        // A function takes its canary with it.
        self.start(json!({"version": 1, "percent": 50})).await;
        self.app
            .delete(&self.function.path())
            .await
            .with_status(204);
        for name in [APP.to_owned(), format!("{APP}-canary")] {
            self.app.call(&name, "/").await.refused(404, "NOT_FOUND");
        }
    }
}
