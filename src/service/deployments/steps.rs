//! The steps of one deployment, and what ends one that was left in the middle.

use super::record::{AppRecord, DeploymentRecord, ImageRecord, Place};
use super::routes::release;
use super::{DeployOutcome, Deployments, partition, platform_error};
use crate::model::canary::{Canary, CanaryState};
use crate::model::deployment::{Deployment, DeploymentStatus};
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::port::keys;
use crate::port::platform::{Deployed, PlatformError};
use crate::port::store::{Condition, Query, Update, Write};
use crate::service::builds::record::TaskRecord;
use crate::service::functions::record::{FunctionRecord, fingerprint};
use crate::service::table::to_item;

impl Deployments {
    pub(super) async fn begin(
        &self,
        record: &DeploymentRecord,
        owner: Option<&FunctionRecord>,
    ) -> Result<()> {
        let deployment = &record.deployment;
        let partition = partition(deployment);
        let mut writes = vec![
            Write::put(
                keys::deployment(&partition, &deployment.id),
                to_item(record)?,
            ),
            Write::put(
                keys::deployment_owner(&deployment.id),
                to_item(&Place { partition })?,
            ),
        ];
        if let Some(function) = owner {
            let key = keys::function(&function.workspace_id, &function.id);
            writes.push(Write::Update(
                Update::new(key)
                    .set("work", "deploying")
                    .when(Condition::All(vec![
                        Condition::Exists,
                        Condition::Missing("deleting".to_owned()),
                    ])),
            ));
        }
        self.table.transact(writes).await
    }

    pub(super) async fn switch(&self, next: &AppRecord) -> Result<Deployed, PlatformError> {
        let release = release(next)
            .ok_or_else(|| PlatformError::Failed("the release is incomplete".to_owned()))?;
        if let Some(artifact) = &release.artifact {
            self.platform.prepare(artifact).await?;
        }
        self.platform.deploy(release).await
    }

    pub(super) async fn succeed(
        &self,
        record: &mut DeploymentRecord,
        mut next: AppRecord,
        before: Option<&AppRecord>,
        image: &ImageRecord,
        deployed: Deployed,
    ) -> Result<DeployOutcome> {
        let renamed = self.renamed(&mut next, &deployed).await?;
        let before = renamed.as_ref().map_or(before, Option::as_ref);
        next.app_name = deployed.app_name.clone();
        next.endpoint.clone_from(&deployed.endpoint);
        record.deployment.app_name = deployed.app_name;
        record.deployment.endpoint = deployed.endpoint;
        record.deployment.status = DeploymentStatus::Active;
        let deployment = &record.deployment;
        let same = match before {
            Some(app) => Condition::Equals("revision".to_owned(), app.revision.into()),
            None => Condition::Absent,
        };
        let item = to_item(&next)?;
        let mut writes = vec![
            Write::put(
                keys::deployment(&partition(deployment), &deployment.id),
                to_item(record)?,
            ),
            Write::Put {
                key: keys::app(&next.app_name),
                item: item.clone(),
                condition: Some(same),
            },
            Write::put(keys::app_entry(&next.app_name), item),
        ];
        if let (Some(workspace), Some(function)) = (&next.workspace_id, &next.function_id) {
            let mut update = Update::new(keys::function(workspace, function))
                .set("appName", next.app_name.as_str())
                .set("deploymentId", deployment.id.as_str())
                .set("deployedSource", image.source_sha256.as_str())
                .set("deployedConfiguration", fingerprint(&next.configuration))
                .set("lastDeployed", deployment.created_at.to_string())
                .set("failed", false)
                .when(Condition::All(vec![
                    Condition::Exists,
                    Condition::Missing("deleting".to_owned()),
                ]));
            update = match deployment.version {
                Some(version) => update.set("deployedVersion", version),
                None => update.remove("deployedVersion"),
            };
            writes.push(Write::Update(update));
        }
        if let Some(superseded) = before
            .and_then(|app| app.deployment_id.clone())
            .filter(|id| *id != deployment.id)
            && let Some(old) = self.find(&superseded).await?
        {
            writes.push(Write::Update(
                Update::new(keys::deployment(&partition(&old.deployment), &superseded))
                    .set("status", "superseded")
                    .when(Condition::Exists),
            ));
        }
        if let Some(app) = before {
            writes.extend(self.canary_superseded(app, deployment).await?);
        }
        if !self.table.try_transact(writes, None).await? {
            return Err(Error::conflict(
                "Another deployment of this app came first, or the function was deleted. Reload and try again.",
            ));
        }
        self.routes.insert(&next);
        if let Some(app) = before {
            self.forget_canary(app).await;
        }
        if let (Some(workspace), Some(function)) = (&next.workspace_id, &next.function_id)
            && let Err(error) = self.end_work(workspace, function).await
        {
            // It is recorded and serves. That it is under way is shown until the function's next task or deployment.
            tracing::error!(%function, %error, "the end of a deployment's work could not be written");
        }
        Ok(DeployOutcome {
            deployment: record.deployment.clone(),
            warnings: deployed.warnings,
        })
    }

    /// Nothing is being deployed any more. A newer task of the function may wait: then that is what is under way.
    async fn end_work(&self, workspace: &WorkspaceId, id: &FunctionId) -> Result<()> {
        let key = keys::function(workspace, id);
        // A task that is queued, begins or ends in between moves the condition.
        for _ in 0..16 {
            let Some(function) = self.table.get::<FunctionRecord>(&key).await? else {
                return Ok(());
            };
            let mut writes = Vec::new();
            let mut update = Update::new(key.clone()).remove("work");
            let mut newest = Condition::Missing("taskId".to_owned());
            if let Some(task_id) = &function.task_id {
                newest = Condition::Equals("taskId".to_owned(), task_id.as_str().into());
                let place = keys::task(workspace, task_id);
                let task: Option<TaskRecord> = self.table.get(&place).await?;
                if let Some(task) = task.filter(|task| !task.status.is_terminal()) {
                    update = Update::new(key.clone()).set("work", "building");
                    let same = Condition::Equals("status".to_owned(), task.status.as_str().into());
                    writes.push(Write::Check {
                        key: place,
                        condition: same,
                    });
                }
            }
            let newest = Condition::All(vec![Condition::Exists, newest]);
            writes.push(Write::Update(update.when(newest)));
            if self.table.try_transact(writes, None).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A deployment ends the canary that ran beside the version before.
    async fn canary_superseded(
        &self,
        app: &AppRecord,
        deployment: &Deployment,
    ) -> Result<Vec<Write>> {
        let Some(rule) = &app.canary else {
            return Ok(Vec::new());
        };
        let state = if deployment.version == Some(rule.plan.version()) {
            CanaryState::Promoted
        } else {
            CanaryState::Superseded
        };
        let reason = |_: &Canary| match (state, deployment.version) {
            (CanaryState::Promoted, _) => format!("Promoted by {}.", deployment.by),
            (_, Some(version)) => format!("Version {version} was deployed."),
            (_, None) => "Another image was deployed.".to_owned(),
        };
        let end = self.canary_end(app, state, reason).await?;
        Ok(end.map(|(_, writes)| writes).unwrap_or_default())
    }

    /// Lets the platform serve what served before a deployment that could not be recorded.
    pub(super) async fn restore(&self, before: Option<&AppRecord>, deployment: &Deployment) {
        let restored = match before.and_then(release) {
            Some(release) => match self.platform.deploy(release).await {
                Ok(_) => Ok(()),
                Err(error) => Err(platform_error(error)),
            },
            None => {
                self.take_down(&deployment.app_name, &deployment.namespace)
                    .await
            }
        };
        if let Err(error) = restored {
            tracing::error!(app = %deployment.app_name, %error, "what served before could not be restored");
        }
    }

    /// Ends what a stopped server left in the middle: the function can be deployed again. What began after `until` is left to its server.
    pub(in crate::service) async fn recover(
        &self,
        function: &FunctionRecord,
        until: Timestamp,
    ) -> Result<()> {
        let newest: Vec<DeploymentRecord> = self
            .table
            .first(
                Query::prefix(
                    keys::function_partition(&function.id),
                    keys::DEPLOYMENT_PREFIX,
                )
                .newest_first(),
                10,
            )
            .await?;
        let (left, others): (Vec<_>, Vec<_>) = newest
            .into_iter()
            .filter(|record| record.deployment.status == DeploymentStatus::Deploying)
            .partition(|record| record.deployment.created_at <= until);
        for mut record in left {
            self.fail(
                &mut record,
                &Error::conflict(
                    "The server stopped in the middle of this deployment. Deploy again.",
                ),
            )
            .await?;
        }
        if !others.is_empty() {
            return Ok(());
        }
        let update = Update::new(keys::function(&function.workspace_id, &function.id))
            .remove("work")
            .when(Condition::Exists);
        self.table
            .try_transact(vec![Write::Update(update)], None)
            .await
            .map(drop)
    }

    pub(super) async fn fail(&self, record: &mut DeploymentRecord, error: &Error) -> Result<()> {
        record.deployment.status = DeploymentStatus::Failed;
        record.deployment.error = Some(error.message.clone());
        let deployment = &record.deployment;
        self.table
            .write(Write::put(
                keys::deployment(&partition(deployment), &deployment.id),
                to_item(record)?,
            ))
            .await?;
        if let (Some(workspace), Some(function)) = (&record.workspace_id, &deployment.function_id) {
            let update = Update::new(keys::function(workspace, function))
                .set("failed", true)
                .when(Condition::Exists);
            self.table
                .try_transact(vec![Write::Update(update)], None)
                .await?;
            self.end_work(workspace, function).await?;
        }
        Ok(())
    }
}
