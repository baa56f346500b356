//! Settings that take effect, versions that follow each other.

use futures::future::{join, join_all};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{APP, SOURCE, Story};
use crate::engine::journey::{build_and_push, has_ended, task_log, task_when, versions};
use crate::support::answer::Answer;
use crate::support::builders::{a_function, text};

impl Story {
    pub(super) async fn a_change_of_the_environment_takes_effect_at_once(&self) {
        assert_eq!(self.call_json("/").await["greeting"], "Hello");
        let variables = json!({"environmentVariables": {"GREETING": "안녕하세요"}});
        let changed = self.change(variables).await;
        assert_eq!(self.call_json("/").await["greeting"], "안녕하세요");
        assert_eq!(changed["deployedVersion"], 1);
    }

    pub(super) async fn only_its_methods_pass(&self) {
        self.change(json!({"httpMethods": ["GET"]})).await;
        for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
            let refused = Answer::of(self.app.function_request(method, APP, "/")).await;
            refused.refused(405, "METHOD_NOT_ALLOWED");
            assert_eq!(refused.header("allow"), "GET");
        }
        let head = Answer::of(self.app.function_request(Method::HEAD, APP, "/")).await;
        assert_eq!(head.status, 200);
        // The test call of older clients is always a POST.
        let invoked = self.app.post(&self.invoke_path(), &json!({})).await;
        assert_eq!(invoked.with_status(200)["statusCode"], 200);
        self.change(json!({"httpMethods": ["GET", "POST"]})).await;
        let post = Answer::of(self.app.function_request(Method::POST, APP, "/")).await;
        assert_eq!(post.status, 200);
    }

    pub(super) async fn a_disabled_function_refuses_calls(&self) {
        let disabled = self.change(json!({"status": "disabled"})).await;
        assert_eq!(disabled["status"], "disabled");
        let called = self.app.call(APP, "/").await;
        called.refused(503, "FUNCTION_DISABLED");
        let invoked = self.app.post(&self.invoke_path(), &json!({})).await;
        invoked.refused(409, "FUNCTION_DISABLED");
        self.change(json!({"status": "active"})).await;
        self.call_json("/").await;
    }

    /// Its own, which was deployed last, and one that stands beside it.
    pub(super) async fn its_settings_hold_for_all_its_apps(&self) {
        const BESIDE: &str = "beside";
        self.deploy_as(BESIDE, &self.image).await.with_status(200);
        self.deploy(&self.image).await.with_status(200);
        let variables = json!({"environmentVariables": {"GREETING": "Moin"}});
        let changed = self.change(variables).await;
        assert_eq!(changed, self.function.read(&self.app).await);
        for app in [APP, BESIDE] {
            let answer = self.app.call(app, "/").await.with_status(200);
            assert_eq!(answer["greeting"], "Moin", "{app}");
        }
        self.change(json!({"status": "disabled"})).await;
        for app in [APP, BESIDE] {
            let refused = self.app.call(app, "/").await;
            refused.refused(503, "FUNCTION_DISABLED");
        }
        self.change(json!({"status": "active"})).await;
        self.app.call(BESIDE, "/").await.with_status(200);
    }

    pub(super) async fn the_same_source_is_not_built_twice(&self) {
        let id = build_and_push(&self.app, &self.function, SOURCE).await;
        let built = task_when(&self.app, &id, Duration::from_mins(1), has_ended).await;
        assert_eq!(built["status"], "done", "{built}");
        let log = task_log(&self.app, &id).await;
        assert!(log.contains("This source was built before"), "{log}");
        let versions = versions(&self.app, &self.function).await;
        let numbers: Vec<&Value> = versions
            .as_array()
            .into_iter()
            .flatten()
            .map(|version| &version["number"])
            .collect();
        assert_eq!(numbers, [&json!(2), &json!(1)]);
        assert_eq!(versions[0]["artifact"], versions[1]["artifact"]);
        assert_ne!(versions[0]["image_ref"], versions[1]["image_ref"]);
    }

    pub(super) async fn a_redeployment_and_a_rollback_lose_no_call(&self) {
        let newest = text(&versions(&self.app, &self.function).await[0], "image_ref");
        let answered = self
            .under_load(async {
                self.deploy(&newest).await.with_status(200);
            })
            .await;
        assert_eq!(answered, BTreeSet::from(["1".to_owned(), "2".to_owned()]));
        let path = format!("/api/v1/functions/{}/deployments", self.function.id);
        let deployments = self.app.get(&path).await.with_status(200);
        let states: Vec<(&Value, &Value)> = deployments
            .as_array()
            .into_iter()
            .flatten()
            .map(|deployment| (&deployment["version"], &deployment["status"]))
            .collect();
        assert_eq!(
            states,
            [
                (&json!(2), &json!("active")),
                (&json!(1), &json!("superseded"))
            ]
        );

        let first = text(&deployments[1], "id");
        let back = format!("/api/v1/deployments/{first}/redeploy");
        let answered = self
            .under_load(async {
                self.app.post(&back, &json!({})).await.with_status(200);
            })
            .await;
        assert_eq!(answered, BTreeSet::from(["1".to_owned(), "2".to_owned()]));
        let answer = self.app.call(APP, "/").await;
        assert_eq!(answer.header("x-blue-version"), "1");
        // A rollback brings the settings of its version back, until settings are saved.
        assert_eq!(answer.with_status(200)["greeting"], "Hello");
        self.change(json!({"description": "Greets"})).await;
        assert_eq!(self.call_json("/").await["greeting"], "Hello");
        assert_eq!(self.function.read(&self.app).await["deployedVersion"], 1);
    }

    /// Lets callers call without a pause before, during and after a change. Every call must succeed; answers the versions that did.
    async fn under_load(&self, change: impl Future<Output = ()>) -> BTreeSet<String> {
        let stop = AtomicBool::new(false);
        let changing = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            change.await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            stop.store(true, Ordering::Relaxed);
        };
        let callers = join_all((0..4).map(|_| self.call_until(&stop)));
        let (versions, ()) = join(callers, changing).await;
        versions.into_iter().flatten().collect()
    }

    async fn call_until(&self, stop: &AtomicBool) -> BTreeSet<String> {
        let mut versions = BTreeSet::new();
        while !stop.load(Ordering::Relaxed) {
            let answer = self.app.call(APP, "/").await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            versions.insert(answer.header("x-blue-version").to_owned());
        }
        versions
    }

    pub(super) async fn the_name_of_an_app_belongs_to_its_function(&self) {
        let other = a_function()
            .named("Other")
            .create(&self.app, &self.workspace)
            .await;
        let request = json!({"app_name": APP, "namespace": "default", "image_ref": self.image, "function_id": other.id});
        let refused = self.app.post("/api/v1/deploy", &request).await;
        let refusal = refused.refused(409, "CONFLICT");
        assert_eq!(refusal.field.as_deref(), Some("app_name"));
        let request = json!({"app_name": "of-other", "namespace": "default", "image_ref": self.image, "function_id": other.id, "replicas": 3});
        let deployed = self.app.post("/api/v1/deploy", &request).await;
        let warnings = deployed.with_status(200)["warnings"].to_string();
        assert!(warnings.contains(&self.function.id), "{warnings}");
        assert!(warnings.contains("replicas has no effect"), "{warnings}");
        self.app.delete(&other.path()).await.with_status(204);
        self.call_json("/").await;
    }
}
