//! A task as it is stored. Attribute names are those of the first system (SPEC §5), with ours in addition.

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::deployment::{AppName, DeployOptions, ImageRef, Namespace};
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, TaskId, WorkspaceId};
use crate::model::source::{Diagnostic, SourceSummary};
use crate::model::task::{Stage, StageName, StageStatus, TaskResult, TaskStatus, TaskView};
use crate::model::time::Timestamp;
use crate::model::version::{Artifact, Configuration};
use crate::port::builder::Job;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    Build,
    BuildAndPush,
    Push,
    /// Built, pushed and deployed in one motion, from the console.
    Deploy,
}

/// Where an image goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushTarget {
    /// `registry/repository`, without a tag.
    pub registry_url: String,
    pub tag: String,
    /// Credentials came with the request: they live in the memory of the server that took it, never here.
    pub with_credentials: bool,
}

impl PushTarget {
    /// `registry/repository` with a tag; `https://` before it is dropped.
    pub fn parse(registry_url: &str, tag: &str, with_credentials: bool) -> Result<Self> {
        let registry_url = registry_url
            .trim()
            .trim_start_matches("https://")
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let tag = tag.trim().to_owned();
        let repository = registry_url.rsplit('/').next().unwrap_or_default();
        if ImageRef::parse(&registry_url).is_err() || repository.contains([':', '@']) {
            return Err(Error::validation(
                "registry_url",
                "Write a registry as host/repository, as in registry.example.com/team/app. A tag is said in tag.",
            ));
        }
        let tag_fits = tag.len() <= 128
            && tag
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
            && !tag.starts_with(['.', '-']);
        if tag_fits {
            Ok(Self {
                registry_url,
                tag,
                with_credentials,
            })
        } else {
            Err(Error::validation(
                "tag",
                "A tag holds at most 128 letters, digits, dots, underscores and hyphens.",
            ))
        }
    }
}

/// What a `Deploy` task does with its image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeployPlan {
    pub app_name: AppName,
    pub namespace: Namespace,
    pub options: DeployOptions,
    /// A save asked for it. It is of the code as saved then, and gives way to the next save's while it waits.
    #[serde(default)]
    pub on_save: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskRecord {
    #[serde(rename = "Type", default = "record_type")]
    pub record_type: String,
    pub task_id: TaskId,
    pub workspace_id: WorkspaceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function_id: Option<FunctionId>,
    pub app_name: AppName,
    #[serde(default = "default_kind")]
    pub kind: TaskKind,
    #[serde(deserialize_with = "any_case")]
    pub status: TaskStatus,
    /// As answers show it: `local://…`, `s3://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_code_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_sha256: Option<String>,
    /// For a package whose entry module was edited: that module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Configuration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushTarget>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy: Option<DeployPlan>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    /// What somebody else does for this task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wasm_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    #[serde(default)]
    pub deployed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
    #[serde(default)]
    pub stages: Vec<Stage>,
    #[serde(default = "unknown")]
    pub by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The server process that works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_owner: Option<String>,
    /// Seconds since the epoch until which the owner may work without renewing.
    #[serde(default)]
    pub lease_until: f64,
    /// Counts owners: a write with an older fence is refused.
    #[serde(default)]
    pub fence: f64,
    /// Owners that stopped without a word.
    #[serde(default)]
    pub tries: f64,
    #[serde(default)]
    pub cancel_requested: bool,
    /// The server process that has the registry credentials this came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_with: Option<String>,
    /// Seconds since the epoch until which that one says that it is alive.
    #[serde(default)]
    pub credentials_until: f64,
}

fn record_type() -> String {
    "BuildTask".to_owned()
}

fn default_kind() -> TaskKind {
    TaskKind::Build
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn any_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TaskStatus, D::Error> {
    TaskStatus::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// The stages a task of this kind has; the others are skipped from the start.
pub fn planned_stages(kind: TaskKind) -> Vec<Stage> {
    let has = |name: StageName| match kind {
        TaskKind::Build => name <= StageName::Build,
        TaskKind::BuildAndPush | TaskKind::Push => name <= StageName::Push,
        TaskKind::Deploy => true,
    };
    StageName::ALL
        .into_iter()
        .map(|name| Stage {
            name,
            status: if has(name) {
                StageStatus::Waiting
            } else {
                StageStatus::Skipped
            },
            started_at: None,
            ended_at: None,
        })
        .collect()
}

impl TaskRecord {
    pub fn result(&self) -> Option<TaskResult> {
        (self.status == TaskStatus::Done).then(|| TaskResult {
            wasm_path: self.wasm_path.clone(),
            image_url: self.image_url.clone(),
            image_uri: self.image_url.clone(),
            file_path: self.source_code_path.clone(),
        })
    }

    pub fn view(self) -> TaskView {
        TaskView {
            result: self.result(),
            id: self.task_id,
            workspace_id: self.workspace_id,
            function_id: self.function_id,
            app_name: self.app_name,
            status: self.status,
            stages: self.stages,
            error: self.error_message,
            diagnostics: self.diagnostics,
            version: self.version,
            deployed: self.deployed,
            by: self.by,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// Starts a stage and ends the one before it.
    pub fn enter_stage(&mut self, name: StageName, now: Timestamp) {
        self.end_running(StageStatus::Done, now);
        if let Some(stage) = self.stages.iter_mut().find(|stage| stage.name == name) {
            stage.status = StageStatus::Running;
            stage.started_at = Some(now);
            stage.ended_at = None;
        }
    }

    /// Ends what runs; `Failed` also skips what waits.
    pub fn end_running(&mut self, status: StageStatus, now: Timestamp) {
        for stage in &mut self.stages {
            match stage.status {
                StageStatus::Running => {
                    stage.status = status;
                    stage.ended_at = Some(now);
                }
                StageStatus::Waiting if status != StageStatus::Done => {
                    stage.status = StageStatus::Skipped;
                }
                StageStatus::Waiting
                | StageStatus::Done
                | StageStatus::Failed
                | StageStatus::Skipped => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_of_the_first_system_is_readable() {
        let record: TaskRecord = serde_json::from_value(serde_json::json!({
            "Type": "BuildTask", "task_id": "550e8400-e29b-41d4-a716-446655440000", "workspace_id": "ws-1", "app_name": "hello", "status": "COMPLETED",
            "image_url": "r/x:1", "created_at": "2025-12-03T10:00:00+09:00", "updated_at": "2025-12-03T10:00:10+09:00"
        }))
        .expect("readable");
        assert_eq!(record.status, TaskStatus::Done);
        assert_eq!(
            record
                .result()
                .and_then(|result| result.image_uri)
                .as_deref(),
            Some("r/x:1")
        );
    }

    #[test]
    fn a_failure_skips_what_waits() {
        let mut record: TaskRecord = serde_json::from_value(serde_json::json!({
            "task_id": "t", "workspace_id": "w", "app_name": "a", "status": "building", "created_at": "2025-12-03T10:00:00+09:00", "updated_at": "2025-12-03T10:00:10+09:00"
        }))
        .expect("readable");
        record.stages = planned_stages(TaskKind::Deploy);
        let now = Timestamp::now();
        record.enter_stage(StageName::Validate, now);
        record.enter_stage(StageName::Build, now);
        record.end_running(StageStatus::Failed, now);
        let states: Vec<_> = record.stages.iter().map(|stage| stage.status).collect();
        assert_eq!(
            states,
            [
                StageStatus::Done,
                StageStatus::Failed,
                StageStatus::Skipped,
                StageStatus::Skipped,
                StageStatus::Skipped
            ]
        );
    }

    #[test]
    fn a_tag_that_could_be_an_option_is_refused() {
        assert!(PushTarget::parse("registry.example.com/a", "-x", false).is_err());
        assert!(
            PushTarget::parse("https://registry.example.com/a/", "v1.0", false)
                .is_ok_and(|target| target.registry_url == "registry.example.com/a")
        );
    }

    #[test]
    fn a_registry_is_without_tag_and_digest() {
        let parsed = |url| PushTarget::parse(url, "v1", false);
        assert!(parsed("localhost:5000/a").is_ok());
        for url in ["reg.io/a:5", "reg.io/a@sha256:0", "localhost:5000", ""] {
            let refused = parsed(url).expect_err(url);
            assert_eq!(refused.field.as_deref(), Some("registry_url"));
        }
    }
}
