//! What becomes of a deployment that the platform serves: its record, and what that replaces.

use std::sync::Arc;
use std::time::Duration;

use super::cluster::LeftApp;
use super::record::{AppRecord, DeploymentRecord, ImageRecord};
use super::routes::release;
use super::turn::{PATIENCE, Turn};
use super::{DeployOutcome, Deployments, partition};
use crate::model::canary::{Canary, CanaryState};
use crate::model::deployment::{Deployment, DeploymentStatus};
use crate::model::error::{Error, ErrorKind, Result};
use crate::port::keys;
use crate::port::platform::Deployed;
use crate::port::store::{Condition, Update, Write};
use crate::service::functions::FunctionRecord;
use crate::service::functions::record::fingerprint;
use crate::service::table::to_item;
use crate::service::workspaces::has_revision;

/// Settings that are saved and endpoints that are found while a deployment is written down, at most.
const ATTEMPTS: usize = 16;
/// Until every server's calls go to the new namespace.
const FOLLOWED: Duration = Duration::from_secs(3);

/// What a deployment wrote down.
struct Recorded {
    before: Option<AppRecord>,
    next: AppRecord,
}

impl Deployments {
    /// Records what the platform made of `released`, and lets everything follow.
    pub(super) async fn succeed(
        self: &Arc<Self>,
        turn: &Turn,
        record: &mut DeploymentRecord,
        image: &ImageRecord,
        released: AppRecord,
        deployed: Deployed,
    ) -> Result<DeployOutcome> {
        // A platform may have another name for the app than was asked for: that one's turn counts then.
        let renamed = if deployed.app_name == released.app_name {
            None
        } else {
            Some(self.turn(&deployed.app_name, PATIENCE).await?)
        };
        let mut warnings = deployed.warnings;
        record.deployment.app_name = deployed.app_name;
        record.deployment.endpoint = deployed.endpoint;
        record.deployment.status = DeploymentStatus::Active;
        let turn = renamed.as_ref().unwrap_or(turn);
        let recorded = self.record(turn, record, image).await?;
        if let Err(error) = self.follow(recorded, released).await {
            warnings.push(error.message);
        }
        if let (Some(workspace), Some(function)) =
            (&record.workspace_id, &record.deployment.function_id)
            && let Err(error) = self.end_work(workspace, function).await
        {
            // It is recorded and serves. That it is under way is shown until the function's next task or deployment.
            tracing::error!(%function, %error, "the end of a deployment's work could not be written");
        }
        Ok(DeployOutcome {
            deployment: record.deployment.clone(),
            warnings,
        })
    }

    /// The app's newest record is what is replaced: settings that were saved, or an endpoint that was found, since the deployment began are
    /// no reason to undo it.
    async fn record(
        &self,
        turn: &Turn,
        record: &DeploymentRecord,
        image: &ImageRecord,
    ) -> Result<Recorded> {
        let id = &record.deployment.id;
        let mut replaced = None;
        let mut is_unclear = false;
        for _ in 0..ATTEMPTS {
            let before: Option<AppRecord> = self
                .table
                .get(&keys::app(&record.deployment.app_name))
                .await?;
            match before {
                // The answer was lost, not the write.
                Some(next) if is_unclear && next.deployment_id.as_ref() == Some(id) => {
                    let before = replaced;
                    return Ok(Recorded { before, next });
                }
                before => replaced = before,
            }
            let owner = self.owner_now(record).await?;
            let next = AppRecord::deployed(replaced.as_ref(), record, image, owner.as_ref());
            let mut writes = self
                .app_writes(record, replaced.as_ref(), &next, owner.as_ref(), image)
                .await?;
            writes.push(turn.check());
            match self.table.try_transact(writes, None).await {
                Ok(true) => {
                    let before = replaced;
                    return Ok(Recorded { before, next });
                }
                Ok(false) if turn.is_held().await? => {}
                Ok(false) => return Err(came_first()),
                Err(error) if is_unclear => return Err(error),
                Err(_) => is_unclear = true,
            }
        }
        Err(Error::overloaded(
            "This function is being changed by many callers at once. Try again in a moment.",
        ))
    }

    async fn owner_now(&self, record: &DeploymentRecord) -> Result<Option<FunctionRecord>> {
        let (Some(workspace), Some(id)) = (&record.workspace_id, &record.deployment.function_id)
        else {
            return Ok(None);
        };
        match self.function(workspace, id).await {
            Err(error) if error.kind == ErrorKind::NotFound => Err(Error::conflict(
                "The function was deleted while it was deployed.",
            )),
            found => found.map(Some),
        }
    }

    async fn app_writes(
        &self,
        record: &DeploymentRecord,
        before: Option<&AppRecord>,
        next: &AppRecord,
        owner: Option<&FunctionRecord>,
        image: &ImageRecord,
    ) -> Result<Vec<Write>> {
        let deployment = &record.deployment;
        let function = next.function_id.as_ref().or(next.claimed_by.as_ref());
        if before.is_some_and(|app| app.is_anothers(function)) {
            return Err(Error::conflict(format!(
                "The platform calls this app {}, which belongs to another function. Choose another name.",
                deployment.app_name
            ))
            .with_field("app_name"));
        }
        let same = match before {
            Some(app) => Condition::Equals("revision".to_owned(), app.revision.into()),
            None => Condition::Absent,
        };
        let item = to_item(next)?;
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
            // What is left of an earlier app of this name is this one's from now on.
            Write::delete(keys::left_app(&next.namespace, &next.app_name)),
        ];
        writes.extend(owner.map(|owner| of_function(owner, deployment, next, image)));
        if let Some(app) = before {
            writes.extend(self.superseded(app, deployment).await?);
        }
        Ok(writes)
    }

    /// What a deployment ends besides the app's record: the deployment before, its canary, what it had in another namespace.
    async fn superseded(&self, app: &AppRecord, deployment: &Deployment) -> Result<Vec<Write>> {
        let mut writes = self.canary_superseded(app, deployment).await?;
        if app.namespace != deployment.namespace {
            writes.push(LeftApp::of(app).write()?);
        }
        if let Some(superseded) = app.deployment_id.clone().filter(|id| *id != deployment.id)
            && let Some(old) = self.find(&superseded).await?
        {
            writes.push(Write::Update(
                Update::new(keys::deployment(&partition(&old.deployment), &superseded))
                    .set("status", "superseded")
                    .when(Condition::Exists),
            ));
        }
        Ok(writes)
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

    /// Lets routes and platform follow what was recorded. The error is what the caller should know; the deployment stands.
    async fn follow(
        self: &Arc<Self>,
        Recorded { before, next }: Recorded,
        released: AppRecord,
    ) -> Result<()> {
        self.routes.insert(&next);
        if !self.table.is_exclusive()
            && let Some(release) = release(&next)
            && let Err(error) = self.platform.resume(release, next.endpoint.clone()).await
        {
            // This server may have followed the record of before while it rolled this one out.
            tracing::warn!(app = %next.app_name, %error, "a deployment could not be looked at again");
        }
        if let Some(before) = before {
            self.forget_canary(&before).await;
            if before.namespace != next.namespace {
                self.effects
                    .begin(self.clone().leave_namespace(LeftApp::of(&before)));
            }
        }
        self.routes
            .configure_newest(&next.app_name, released.configuration)
            .await
    }

    /// Takes down what served before in another namespace, when no call goes there any more.
    async fn leave_namespace(self: Arc<Self>, left: LeftApp) {
        if !self.table.is_exclusive() {
            tokio::time::sleep(FOLLOWED).await;
        }
        self.finish_left(&left, PATIENCE).await;
    }
}

/// What a function says of its deployment. Settings that were saved since `owner` was read move its revision: they are read again then.
fn of_function(
    owner: &FunctionRecord,
    deployment: &Deployment,
    next: &AppRecord,
    image: &ImageRecord,
) -> Write {
    let update = Update::new(keys::function(&owner.workspace_id, &owner.id))
        .set("appName", next.app_name.as_str())
        .set("deploymentId", deployment.id.as_str())
        .set("deployedSource", image.source_sha256.as_str())
        .set("deployedConfiguration", fingerprint(&next.configuration))
        .set("lastDeployed", deployment.created_at.to_string())
        .set("failed", false)
        .when(Condition::All(vec![
            Condition::Exists,
            Condition::Missing("deleting".to_owned()),
            has_revision(owner.revision),
        ]));
    Write::Update(match deployment.version {
        Some(version) => update.set("deployedVersion", version),
        None => update.remove("deployedVersion"),
    })
}

fn came_first() -> Error {
    Error::conflict("Another deployment of this app came first. Reload and try again.")
}
