//! The steps of one deployment, and what ends one that was left in the middle.

use super::cluster::LeftApp;
use super::record::{AppRecord, DeploymentRecord, Place};
use super::routes::release;
use super::turn::PATIENCE;
use super::{Deployments, partition, platform_error};
use crate::model::deployment::{AppName, DeploymentStatus, Namespace};
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::port::keys;
use crate::port::platform::{Deployed, PlatformError};
use crate::port::store::{Condition, Query, Update, Write};
use crate::service::builds::record::TaskRecord;
use crate::service::functions::FunctionRecord;
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
        let deployed = self.platform.deploy(release).await;
        if let Err(PlatformError::Unconfirmed(_)) = &deployed {
            // If it does appear, nobody knows of it; unless a later deployment does, it is taken down.
            let written = async { self.table.write(LeftApp::of(next).write()?).await };
            if let Err(error) = written.await {
                tracing::error!(app = %next.app_name, %error, "an app that may appear could not be written down");
            }
        }
        deployed
    }

    /// Nothing is being deployed any more. A newer task of the function may wait: then that is what is under way.
    pub(super) async fn end_work(&self, workspace: &WorkspaceId, id: &FunctionId) -> Result<()> {
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

    /// After a rollout that could not be recorded, lets the platform serve what the table says by now: others may have deployed since this
    /// one began.
    pub(super) async fn restore(&self, app: &AppName, made_in: &Namespace) {
        if let Err(error) = self.restore_recorded(app, made_in).await {
            tracing::error!(%app, %error, "what is recorded could not be restored");
        }
    }

    async fn restore_recorded(&self, app: &AppName, made_in: &Namespace) -> Result<()> {
        let _turn = self.turn(app, PATIENCE).await?;
        let recorded: Option<AppRecord> = self.table.get(&keys::app(app)).await?;
        let restored = match &recorded {
            Some(recorded) => self.serve_recorded(recorded, made_in).await,
            None => Ok(()),
        };
        if recorded.is_none_or(|recorded| recorded.namespace != *made_in) {
            self.take_down(app, made_in).await?;
        }
        restored
    }

    async fn serve_recorded(&self, app: &AppRecord, made_in: &Namespace) -> Result<()> {
        let Some(release) = release(app) else {
            return Ok(());
        };
        let served = if app.namespace == *made_in {
            self.platform.deploy(release).await.map(drop)
        } else {
            self.platform.resume(release, app.endpoint.clone()).await
        };
        served.map_err(platform_error)?;
        let applied = app.configuration.clone();
        self.routes.configure_newest(&app.app_name, applied).await
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
