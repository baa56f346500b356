//! Functions and their settings.

mod code;
mod environment;
mod limits;
mod methods;
mod outbound;
mod reuse;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::deployment::{AppName, DeployOptions, Namespace};
use super::figures::{Figures, Point};
use super::id::{FunctionId, WorkspaceId};
use super::platform::PlatformKind;
use super::source::SourceSummary;
use super::task::TaskView;
use super::time::Timestamp;
use super::workspace::{Description, Name};

pub use code::Code;
pub use environment::{Environment, MAX_ENVIRONMENT};
pub use limits::{Memory, Timeout};
pub use methods::{HttpMethod, HttpMethods};
pub use outbound::OutboundHost;
pub use reuse::{InstanceReuse, SlotReuse};

pub const RUNTIME: &str = "Python 3.12";

/// What the function is doing, or whether it answers: `disabled`, else what is under way, else `failed` when its first deployment failed, else `active`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FunctionStatus {
    Active,
    Disabled,
    Building,
    Deploying,
    Failed,
}

impl FunctionStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Building => "building",
            Self::Deploying => "deploying",
            Self::Failed => "failed",
        }
    }
}

/// A function as clients read it (`FunctionConfig`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Function {
    pub id: FunctionId,
    pub workspace_id: WorkspaceId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    pub runtime: String,
    pub memory: Memory,
    pub timeout: Timeout,
    pub http_methods: HttpMethods,
    pub environment_variables: Environment,
    /// Absent in a summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    pub invocation_url: Option<String>,
    pub status: FunctionStatus,
    pub last_modified: Timestamp,
    pub last_deployed: Option<Timestamp>,
    pub invocations_24h: u64,
    pub errors_24h: u64,
    /// Milliseconds.
    pub avg_duration: f64,
    pub allowed_outbound_hosts: Vec<OutboundHost>,
    #[serde(default)]
    pub instance_reuse: InstanceReuse,
    pub source: SourceSummary,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed_version: Option<u32>,
    /// The code or the configuration differs from what serves.
    pub undeployed_changes: bool,
    /// Saved code is built and deployed.
    #[serde(default)]
    pub deploy_on_save: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_name: Option<AppName>,
}

/// A function as a row of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionRow {
    /// Without code.
    pub function: Function,
    /// 24 hours in hour steps, oldest first.
    pub series: Vec<Point>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionSort {
    #[default]
    Name,
    Status,
    Invocations,
    ErrorRate,
    Duration,
    LastModified,
    LastDeployed,
}

/// Filters, order and page of a list of functions. Empty fields do not filter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionFilter {
    /// Text in name or description.
    pub q: Option<String>,
    pub status: Option<FunctionStatus>,
    pub sort: FunctionSort,
    pub descending: bool,
    /// Counted from 1.
    pub page: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FunctionPage {
    pub rows: Vec<FunctionRow>,
    /// Functions that pass the filter, on all pages.
    pub total: u64,
    /// Functions in the workspace.
    pub all: u64,
    pub page: u32,
    pub pages: u32,
}

/// What the frame of a function's page shows, on every tab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionDetail {
    pub function: Function,
    pub workspace_name: String,
    /// Where users reach it; `None` before the first deployment.
    pub public_url: Option<String>,
    pub platform: PlatformKind,
    /// Where a cluster's own callers reach it, past this server; `None` where there is no cluster, or nothing deployed.
    pub cluster_address: Option<String>,
    /// How what serves was deployed.
    pub deploy_options: DeployOptions,
    /// What the app name of a first deployment would be.
    pub suggested_app_name: AppName,
    /// Where it goes when nobody says.
    pub default_namespace: Namespace,
    /// The newest build task, running or ended.
    pub latest_task: Option<TaskView>,
    /// Over the last 24 hours.
    pub figures: Figures,
    /// 24 hours in half-hour steps, oldest first.
    pub series: Vec<Point>,
    /// Changes with every change of the configuration or code; sent back with a save so that nobody's change is lost.
    pub etag: String,
}
