//! A function from its source to a URL that is called, changed, deployed anew, survives a kill, and is deleted.

mod calls;
mod changes;
mod ends;

use serde_json::{Value, json};
use std::time::Duration;

use super::{BUILD_TIMEOUT, build_and_push, has_ended, stage, task_when};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{Function, Workspace, a_function, a_workspace, text};
use crate::support::emulator::Emulator;

const SOURCE: &str = include_str!("../../../../fixtures/journey.py");
/// What the name "Journey App" becomes.
const APP: &str = "journey-app";
/// Executions that nobody waits for are written in groups; after this all of them are.
const WRITTEN: Duration = Duration::from_millis(1_500);

#[tokio::test]
async fn a_function_is_built_called_changed_redeployed_restarted_and_deleted() {
    tell(TestApp::start_for_builds()).await;
}

#[tokio::test]
async fn the_same_with_its_records_in_dynamodb() {
    let emulator = Emulator::dynoxide();
    let settings = emulator.settings().await;
    tell(TestApp::start_for_builds_with(settings)).await;
}

async fn tell(app: TestApp) {
    let mut story = Story::begin(app).await;
    story.calls_at_the_same_time_are_counted_exactly().await;
    story.executions_are_paged_and_filtered().await;
    story
        .the_function_sees_the_request_and_the_caller_the_answer()
        .await;
    story
        .an_invocation_answers_the_execution_as_it_is_recorded()
        .await;
    story.a_test_call_is_a_full_request().await;
    story.output_and_cpu_can_be_read().await;
    story
        .a_change_of_the_environment_takes_effect_at_once()
        .await;
    story.only_its_methods_pass().await;
    story.a_disabled_function_refuses_calls().await;
    story.the_same_source_is_not_built_twice().await;
    story.a_redeployment_and_a_rollback_lose_no_call().await;
    story.the_name_of_an_app_belongs_to_its_function().await;
    story.its_settings_hold_for_all_its_apps().await;
    story.a_killed_server_serves_again_at_once().await;
    story.a_deleted_function_leaves_nothing().await;
    story
        .a_deleted_workspace_takes_along_what_was_built_in_it()
        .await;
}

struct Story {
    app: TestApp,
    workspace: Workspace,
    function: Function,
    /// Of version 1.
    image: String,
}

impl Story {
    /// Builds and deploys version 1.
    async fn begin(app: TestApp) -> Self {
        let workspace = a_workspace().create(&app).await;
        let function = a_function()
            .with("httpMethods", json!(["GET", "POST"]))
            .with_code(SOURCE)
            .create(&app, &workspace)
            .await;
        let id = build_and_push(&app, &function, SOURCE).await;
        assert_eq!(function.read(&app).await["status"], "building");
        let built = task_when(&app, &id, BUILD_TIMEOUT, has_ended).await;
        assert_eq!(built["status"], "done", "{built}");
        for name in ["validate", "build", "push"] {
            assert_eq!(stage(&built, name), "done");
        }
        let image = text(&built["result"], "image_url");
        assert_eq!(
            image,
            format!("registry.example.com/team/journey:task-{id}")
        );
        assert_eq!(built["result"]["image_uri"], image);
        assert!(text(&built["result"], "wasm_path").starts_with("local://"));
        let story = Self {
            app,
            workspace,
            function,
            image,
        };
        story.deploy_for_the_first_time().await;
        story
    }

    async fn deploy_for_the_first_time(&self) {
        let invoke = self.app.post(&self.invoke_path(), &json!({})).await;
        invoke.refused(400, "NOT_DEPLOYED");
        let deployed = self.deploy(&self.image).await.with_status(200);
        assert_eq!(
            deployed,
            json!({
                "app_name": APP, "namespace": "default", "service_name": APP, "service_status": "found",
                "endpoint": format!("{}/{APP}", self.app.functions()), "enable_autoscaling": true, "use_spot": true, "error": null,
            })
        );
        let function = self.function.read(&self.app).await;
        assert_eq!(function["status"], "active");
        assert_eq!(function["deployedVersion"], 1);
        assert_eq!(function["appName"], APP);
        assert_eq!(function["undeployedChanges"], false);
        assert!(text(&function, "lastDeployed").ends_with("+09:00"));
    }

    async fn deploy(&self, image: &str) -> Answer {
        self.deploy_as("Journey App", image).await
    }

    async fn deploy_as(&self, app_name: &str, image: &str) -> Answer {
        let request = json!({"app_name": app_name, "namespace": "default", "image_ref": image, "function_id": self.function.id});
        self.app.post("/api/v1/deploy", &request).await
    }

    fn invoke_path(&self) -> String {
        format!("{}/invoke", self.function.path())
    }

    async fn executions(&self, query: &str) -> Value {
        let path = format!("{}/logs?{query}", self.function.path());
        self.app.get(&path).await.with_status(200)
    }

    async fn newest_execution(&self) -> Value {
        self.executions("limit=1").await["logs"][0].clone()
    }

    async fn call_json(&self, path: &str) -> Value {
        self.app.call(APP, path).await.with_status(200)
    }

    async fn change(&self, body: Value) -> Value {
        let changed = self.app.patch(&self.function.path(), &body).await;
        changed.with_status(200)
    }
}
