//! Build tasks: their states, stages and output.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::deployment::AppName;
use super::error::{Error, Result};
use super::id::{FunctionId, TaskId, WorkspaceId};
use super::source::Diagnostic;
use super::time::Timestamp;

/// `pending → building → pushing → done | failed | cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskStatus {
    Pending,
    Building,
    Pushing,
    Done,
    Failed,
    Cancelled,
}

impl TaskStatus {
    /// Understands the words of a Builder Service and of older items, in any case.
    pub fn parse(word: &str) -> Result<Self> {
        Ok(match word.to_ascii_lowercase().as_str() {
            "pending" => Self::Pending,
            "running" | "building" => Self::Building,
            "pushing" => Self::Pushing,
            "completed" | "done" => Self::Done,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            other => {
                return Err(Error::validation(
                    "status",
                    format!(
                        "\"{}\" is not the state of a task.",
                        other.chars().take(32).collect::<String>()
                    ),
                ));
            }
        })
    }

    pub fn is_terminal(self) -> bool {
        match self {
            Self::Pending | Self::Building | Self::Pushing => false,
            Self::Done | Self::Failed | Self::Cancelled => true,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Building => "building",
            Self::Pushing => "pushing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StageName {
    Validate,
    Build,
    Push,
    Deploy,
    Ready,
}

impl StageName {
    pub const ALL: [Self; 5] = [
        Self::Validate,
        Self::Build,
        Self::Push,
        Self::Deploy,
        Self::Ready,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Build => "build",
            Self::Push => "push",
            Self::Deploy => "deploy",
            Self::Ready => "ready",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StageStatus {
    Waiting,
    Running,
    Done,
    Failed,
    /// The task ended before this stage, or does not have it.
    Skipped,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stage {
    pub name: StageName,
    pub status: StageStatus,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
}

/// One line of builder output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskLine {
    /// Counted from 1 within the task; what a viewer asks to go on from.
    pub sequence: u64,
    pub at: Timestamp,
    pub stage: StageName,
    pub text: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskResult {
    /// Where what was built lies: a component (`.wasm`), or an image of a prepared base (`.image`) that runs in this server. A source that was built
    /// before is not built again: then what that task made.
    pub wasm_path: Option<String>,
    pub image_url: Option<String>,
    /// The same value as `image_url`: both names are in use.
    pub image_uri: Option<String>,
    pub file_path: Option<String>,
}

/// A task as the console shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskView {
    pub id: TaskId,
    pub workspace_id: WorkspaceId,
    pub function_id: Option<FunctionId>,
    pub app_name: AppName,
    pub status: TaskStatus,
    pub stages: Vec<Stage>,
    pub result: Option<TaskResult>,
    pub error: Option<String>,
    /// Where in the source the failure is, when that is known.
    pub diagnostics: Vec<Diagnostic>,
    /// The version of the function that this task made.
    pub version: Option<u32>,
    /// The deployment that this task made.
    pub deployed: bool,
    pub by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
