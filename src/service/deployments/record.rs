//! Apps, images and deployments as they are stored.

use serde::{Deserialize, Serialize};

use crate::model::canary::CanaryRule;
use crate::model::deployment::{AppName, DeployOptions, Deployment, ImageRef, Namespace};
use crate::model::error::{Error, Result};
use crate::model::id::{DeploymentId, FunctionId, TaskId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::version::{Artifact, Configuration, Version};
use crate::service::functions::FunctionRecord;

/// An app name, whose it is and what serves under it. Stored twice: under its own key and in the list of apps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppRecord {
    pub app_name: AppName,
    pub namespace: Namespace,
    /// The function that first deployed it; an unattached app has none.
    #[serde(default)]
    pub function_id: Option<FunctionId>,
    /// Of an unattached app: the function that a deployment named and that is not known here. The name is kept for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<FunctionId>,
    /// The function's; of an unattached app the one that its image was built in.
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
    /// Where the platform answers for it, once that is known.
    #[serde(default)]
    pub endpoint: Option<String>,
    #[serde(default)]
    pub disabled: bool,
    /// Another version that takes a share of the calls.
    #[serde(default)]
    pub canary: Option<CanaryRule>,
    /// The app whose canary this is: not called, deployed or claimed by its own name.
    #[serde(default)]
    pub canary_of: Option<AppName>,
    /// Counts changes, so that other replicas see them.
    #[serde(default)]
    pub revision: f64,
}

impl AppRecord {
    /// Whether it is another function's than this one's. Who names none may deploy what is only claimed.
    pub(super) fn is_anothers(&self, function: Option<&FunctionId>) -> bool {
        match (&self.function_id, &self.claimed_by, function) {
            (Some(owner), _, function) => Some(owner) != function,
            (None, Some(claimant), Some(function)) => claimant != function,
            (None, _, _) => false,
        }
    }

    /// What an app is with this deployment.
    pub(super) fn deployed(
        before: Option<&Self>,
        record: &DeploymentRecord,
        image: &ImageRecord,
        owner: Option<&FunctionRecord>,
    ) -> Self {
        let deployment = &record.deployment;
        let claimed_before = before.and_then(|app| app.claimed_by.clone());
        Self {
            app_name: deployment.app_name.clone(),
            namespace: deployment.namespace.clone(),
            function_id: deployment.function_id.clone(),
            claimed_by: record
                .claimed_by
                .clone()
                .or(claimed_before)
                .filter(|_| owner.is_none()),
            workspace_id: record.workspace_id.clone(),
            deployment_id: Some(deployment.id.clone()),
            version: deployment.version,
            image_ref: Some(deployment.image_ref.clone()),
            artifact: image.artifact.clone(),
            configuration: image.configuration_now(deployment.version, owner),
            options: deployment.options.clone(),
            endpoint: deployment.endpoint.clone(),
            disabled: owner.is_some_and(|function| function.disabled),
            canary: None,
            canary_of: None,
            revision: before.map_or_else(first_revision, |app| app.revision + 1.0),
        }
    }
}

/// Above what an app of this name had before, if there was one that was deleted: other servers follow what is above what they know.
fn first_revision() -> f64 {
    Timestamp::now().micros() as f64
}

/// What an image is, found by its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImageRecord {
    pub image_ref: ImageRef,
    /// Tells it from another build's under the same name. Absent for an image that others built.
    #[serde(default)]
    pub task_id: Option<TaskId>,
    #[serde(default)]
    pub function_id: Option<FunctionId>,
    /// Of the build: an app of its image that belongs to no function is this workspace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<WorkspaceId>,
    #[serde(default)]
    pub version: Option<u32>,
    /// Absent where only the registry holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    pub source_sha256: String,
    /// Of the version; a deployment without one takes the defaults.
    #[serde(default)]
    pub configuration: Option<Configuration>,
}

impl ImageRecord {
    /// A version under one of its images, whatever that name names by now.
    pub(super) fn of_version(version: &Version, image_ref: &ImageRef) -> Self {
        Self {
            image_ref: image_ref.clone(),
            task_id: Some(version.task_id.clone()),
            function_id: Some(version.function_id.clone()),
            workspace_id: None,
            version: Some(version.number),
            artifact: version.artifact.clone(),
            source_sha256: version.source.sha256.clone(),
            configuration: Some(version.configuration.clone()),
        }
    }

    /// One that was not built here, for a platform that runs any.
    pub(super) fn of_others(image_ref: &ImageRef) -> Self {
        Self {
            image_ref: image_ref.clone(),
            task_id: None,
            function_id: None,
            workspace_id: None,
            version: None,
            artifact: None,
            source_sha256: String::new(),
            configuration: None,
        }
    }

    /// With which settings it runs as `version` of its owner: a rollback brings its version's settings back; the newest version runs with the
    /// settings as they are now.
    pub(super) fn configuration_now(
        &self,
        version: Option<u32>,
        owner: Option<&FunctionRecord>,
    ) -> Configuration {
        let is_newest =
            |version: u32| owner.is_some_and(|function| f64::from(version) >= function.versions);
        self.configuration
            .clone()
            .filter(|_| version.is_some_and(|version| !is_newest(version)))
            .or_else(|| owner.map(FunctionRecord::configuration))
            .unwrap_or_default()
    }
}

/// The image that a version is deployed by.
pub(super) fn image_of(version: &Version) -> Result<ImageRef> {
    if version.image_ref.is_empty() {
        return Err(Error::conflict(format!(
            "Version {} was built and not pushed, so there is no image to deploy. Push it, or build and push its source.",
            version.number
        )));
    }
    ImageRef::parse(&version.image_ref)
}

/// A deployment with what its row in the list of another record needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeploymentRecord {
    #[serde(flatten)]
    pub deployment: Deployment,
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
    /// See [`AppRecord::claimed_by`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<FunctionId>,
}

/// Where a record found by its id lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    pub partition: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_app_is_above_one_of_its_name_that_was_deleted() {
        let at = "2026-11-20T14:02:11+09:00";
        let deployment: DeploymentRecord = serde_json::from_value(json!({
            "id": "d-1", "app_name": "shop", "namespace": "default", "image_ref": "local/shop:1", "status": "active", "created_at": at, "by": "anonymous",
            "options": DeployOptions::default(),
        }))
        .expect("a deployment");
        let image: ImageRecord = serde_json::from_value(json!({
            "image_ref": "local/shop:1", "task_id": "t-1", "source_sha256": "", "artifact": {"key": "a", "sha256": "", "size": 1},
        }))
        .expect("an image");
        let deployed = |before| AppRecord::deployed(before, &deployment, &image, None);
        let first = deployed(None);
        let changed = deployed(Some(&first));
        assert!(changed.revision > first.revision);
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert!(deployed(None).revision > changed.revision);
    }
}
