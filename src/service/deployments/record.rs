//! Apps, images and deployments as they are stored.

use serde::{Deserialize, Serialize};

use crate::model::deployment::{AppName, DeployOptions, Deployment, ImageRef, Namespace};
use crate::model::id::{DeploymentId, FunctionId, TaskId, WorkspaceId};
use crate::model::version::{Artifact, Configuration};

/// An app name, whose it is and what serves under it. Stored twice: under its own key and in the list of apps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppRecord {
    pub app_name: AppName,
    pub namespace: Namespace,
    /// The function that first deployed it; an unattached app has none.
    #[serde(default)]
    pub function_id: Option<FunctionId>,
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
    /// What serves; absent until the first deployment succeeded.
    #[serde(default)]
    pub deployment_id: Option<DeploymentId>,
    #[serde(default)]
    pub version: Option<u32>,
    #[serde(default)]
    pub image_ref: Option<ImageRef>,
    #[serde(default)]
    pub artifact: Option<Artifact>,
    #[serde(default)]
    pub configuration: Configuration,
    #[serde(default)]
    pub options: DeployOptions,
    #[serde(default)]
    pub disabled: bool,
    /// Counts changes, so that other replicas see them.
    #[serde(default)]
    pub revision: f64,
}

/// What an image is, found by its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImageRecord {
    pub image_ref: ImageRef,
    pub task_id: TaskId,
    pub workspace_id: WorkspaceId,
    #[serde(default)]
    pub function_id: Option<FunctionId>,
    #[serde(default)]
    pub version: Option<u32>,
    pub artifact: Artifact,
    pub source_sha256: String,
    /// Of the version; a deployment without one takes the defaults.
    #[serde(default)]
    pub configuration: Option<Configuration>,
}

/// A deployment with what its row in the list of another record needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeploymentRecord {
    #[serde(flatten)]
    pub deployment: Deployment,
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
}

/// Where a record found by its id lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    pub partition: String,
}
