//! What was built or deployed before, deployed again.

use std::sync::Arc;

use super::record::{AppRecord, image_of};
use super::{DeployOutcome, DeployRequest, Deployments};
use crate::model::deployment::{AppName, DeployOptions};
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::id::DeploymentId;
use crate::model::platform::PlatformKind;
use crate::model::version::Version;
use crate::port::keys;
use crate::service::actor::Actor;
use crate::service::functions::FunctionRecord;

impl Deployments {
    /// Deploys what an earlier deployment served, with the configuration of its version.
    pub async fn redeploy(
        self: &Arc<Self>,
        actor: &Actor,
        id: &DeploymentId,
    ) -> Result<DeployOutcome> {
        let earlier = self
            .find(id)
            .await?
            .ok_or_else(|| Error::not_found("deployment", id))?
            .deployment;
        let request = DeployRequest {
            app_name: Some(earlier.app_name),
            namespace: earlier.namespace,
            image_ref: earlier.image_ref,
            options: earlier.options,
            function_id: earlier.function_id,
            version: earlier.version,
            id: None,
        };
        self.deploy(actor, request).await
    }

    /// Deploys a version where its function serves.
    pub(in crate::service) async fn deploy_version(
        self: &Arc<Self>,
        actor: &Actor,
        function: &FunctionRecord,
        version: &Version,
    ) -> Result<DeployOutcome> {
        let app = self.serving_app(function).await?.app_name;
        self.deploy_to(actor, &app, function, version).await
    }

    /// Deploys a version to an app of its function, as what serves there is set up.
    pub(super) async fn deploy_to(
        self: &Arc<Self>,
        actor: &Actor,
        app: &AppName,
        function: &FunctionRecord,
        version: &Version,
    ) -> Result<DeployOutcome> {
        let app: Option<AppRecord> = self.table.get(&keys::app(app)).await?;
        let app = app.ok_or_else(not_deployed)?;
        let request = DeployRequest {
            app_name: Some(app.app_name),
            namespace: app.namespace,
            image_ref: image_of(version)?,
            options: app.options,
            function_id: Some(function.id.clone()),
            version: Some(version.number),
            id: None,
        };
        self.deploy(actor, request).await
    }

    /// How what serves was deployed; the defaults while nothing does, and where a platform has no such options.
    pub(in crate::service) async fn options_of(
        &self,
        function: &FunctionRecord,
    ) -> Result<DeployOptions> {
        let app: Option<AppRecord> = match &function.app_name {
            Some(app) if self.platform.kind() == PlatformKind::Cluster => {
                self.table.get(&keys::app(app)).await?
            }
            _ => None,
        };
        Ok(app.map(|app| app.options).unwrap_or_default())
    }

    pub(super) async fn serving_app(&self, function: &FunctionRecord) -> Result<AppRecord> {
        let app = match &function.app_name {
            Some(app) => self.table.get(&keys::app(app)).await?,
            None => None,
        };
        app.ok_or_else(not_deployed)
    }
}

fn not_deployed() -> Error {
    Error::new(
        ErrorKind::NotDeployed,
        "This function is not deployed yet. Deploy it once; then its versions can take turns.",
    )
}
