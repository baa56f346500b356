//! What a kill does not end, and what a deletion does.

use http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use super::{APP, SOURCE, Story, WRITTEN};
use crate::engine::journey::{BUILD_TIMEOUT, has_ended, task_when};
use crate::support::builders::text;

impl Story {
    pub(super) async fn a_killed_server_serves_again_at_once(&mut self) {
        tokio::time::sleep(WRITTEN).await;
        let before = self.function.read(&self.app).await;
        let executions = self.executions("limit=1000").await;
        let tasks = self.tasks().await;
        self.app.kill();
        let begin = Instant::now();
        self.app.start_again();
        let answer = self.app.call(APP, "/").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "{:?}",
            begin.elapsed()
        );
        assert_eq!(answer.header("x-blue-version"), "1");
        assert_eq!(self.tasks().await, tasks, "nothing is built again");
        tokio::time::sleep(WRITTEN).await;
        let after = self.function.read(&self.app).await;
        assert_eq!(
            after["invocations24h"].as_u64(),
            before["invocations24h"].as_u64().map(|count| count + 1)
        );
        assert_eq!(after["errors24h"], before["errors24h"]);
        assert_eq!(
            self.executions("limit=1000").await["total"].as_u64(),
            executions["total"]
                .as_u64()
                .map(|count| (count + 1).min(1_000))
        );
    }

    async fn tasks(&self) -> Value {
        let path = format!("/api/v1/workspaces/{}/tasks", self.workspace.id);
        self.app.get(&path).await.with_status(200)
    }

    pub(super) async fn a_deleted_function_leaves_nothing(&self) {
        let tasks = self.tasks().await;
        assert_eq!(tasks["count"], 2);
        self.app
            .delete(&self.function.path())
            .await
            .with_status(204);
        self.app.call(APP, "/").await.refused(404, "NOT_FOUND");
        let (alias, id) = (self.function.alias(), &self.function.id);
        let mut gone = vec![
            self.function.path(),
            format!("{}/logs", self.function.path()),
            format!("{}/source", self.function.path()),
            format!("{alias}/logs"),
            format!("{alias}/loki-logs"),
            format!("{alias}/metrics"),
            format!("/api/v1/functions/{id}/versions"),
            format!("/api/v1/functions/{id}/deployments"),
            alias,
        ];
        for task in tasks["tasks"].as_array().into_iter().flatten() {
            gone.push(format!("/api/v1/tasks/{}", text(task, "task_id")));
            gone.push(format!("/api/v1/tasks/{}/log", text(task, "task_id")));
        }
        for path in gone {
            self.app.get(&path).await.refused(404, "NOT_FOUND");
        }
        assert_eq!(self.tasks().await["count"], 0);
        assert_eq!(self.workspace.read(&self.app).await["functionCount"], 0);
        let logs = format!("{}/logs", self.workspace.path());
        let logs = self.app.get(&logs).await.with_status(200);
        assert_eq!(logs["logs"], json!([]));
        // Its image is forgotten with it.
        let image = self.deploy(&self.image).await;
        assert_eq!(image.refused_field(), "image_ref");
    }

    /// And deployed for no function.
    pub(super) async fn a_deleted_workspace_takes_along_what_was_built_in_it(&self) {
        const LOOSE: &str = "loose";
        let fields = [
            ("workspace_id", self.workspace.id.as_str()),
            ("registry_url", "registry.example.com/team/loose"),
        ];
        let (path, file) = ("/api/v1/build-and-push", ("app.py", SOURCE));
        let accepted = self.app.upload(Method::POST, path, file, &fields).await;
        let task = text(&accepted.with_status(202), "task_id");
        let built = task_when(&self.app, &task, BUILD_TIMEOUT, has_ended).await;
        let request = json!({"app_name": LOOSE, "namespace": "default", "image_ref": built["result"]["image_url"]});
        let deployed = self.app.post("/api/v1/deploy", &request).await;
        deployed.with_status(200);
        self.app.call(LOOSE, "/").await.with_status(200);
        let workspace = self.workspace.path();
        self.app.delete(&workspace).await.with_status(204);
        self.app.call(LOOSE, "/").await.refused(404, "NOT_FOUND");
    }
}
