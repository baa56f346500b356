//! Canaries: another version of a function under an app name of its own, which takes a share of the calls.

use std::sync::Arc;

use super::cluster::LeftApp;
use super::record::{AppRecord, ImageRecord, image_of};
use super::turn::{PATIENCE, Turn};
use super::{Deployments, platform_error};
use crate::model::canary::{Canary, CanaryCounts, CanaryPlan, CanaryRule, CanaryState};
use crate::model::deployment::AppName;
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::version::Version;
use crate::port::keys;
use crate::port::store::{Condition, Write};
use crate::service::actor::Actor;
use crate::service::functions::FunctionRecord;
use crate::service::new_id;
use crate::service::table::to_item;
use crate::service::workspaces::has_revision;

impl Deployments {
    /// Lets a version take a share of the calls.
    pub async fn start_canary(
        self: &Arc<Self>,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        plan: CanaryPlan,
    ) -> Result<Canary> {
        let (deployments, actor) = (self.clone(), actor.clone());
        let (workspace, id) = (workspace.clone(), id.clone());
        let work = async move {
            let function = deployments.function(&workspace, &id).await?;
            deployments
                .start_canary_in_turn(&actor, &function, plan)
                .await
        };
        self.effects.run(work).await
    }

    async fn start_canary_in_turn(
        &self,
        actor: &Actor,
        function: &FunctionRecord,
        plan: CanaryPlan,
    ) -> Result<Canary> {
        let app_name = self.serving_app(function).await?.app_name;
        let turn = self.turn(&app_name, PATIENCE).await?;
        let app = self.serving_app(function).await?;
        let canary_turn = self.turn(&self.canary_name(&app)?, PATIENCE).await?;
        if app.canary.is_some() || self.running_canary(&function.id).await?.is_some() {
            return Err(Error::conflict(
                "A canary of this function is running. Promote or end it first.",
            ));
        }
        if app.version == Some(plan.version()) {
            return Err(Error::validation(
                "version",
                "This version serves already. Choose another one.",
            ));
        }
        let (canary, image) = self.release_canary(&app, function, &plan).await?;
        let record = Canary {
            function_id: function.id.clone(),
            app_name: app.app_name.clone(),
            serving_version: app.version,
            state: CanaryState::Running,
            reason: None,
            counts: CanaryCounts::default(),
            by: actor.name().to_owned(),
            started_at: Timestamp::now(),
            ended_at: None,
            plan,
        };
        let (made, made_in) = (canary.app_name.clone(), canary.namespace.clone());
        let applied = canary.configuration.clone();
        let recorded = self
            .record_canary(&[turn, canary_turn], &record, canary, &image)
            .await;
        if let Err(error) = recorded {
            self.restore(&made, &made_in).await;
            return Err(error);
        }
        if let Err(error) = self.routes.configure_newest(&made, applied).await {
            tracing::warn!(app = %made, %error, "a canary runs with other settings than were saved");
        }
        Ok(record)
    }

    /// Beside the newest record of the app: settings may have been saved since the canary was released.
    async fn record_canary(
        &self,
        turns: &[Turn],
        record: &Canary,
        mut canary: AppRecord,
        image: &ImageRecord,
    ) -> Result<()> {
        let id = &record.function_id;
        let Some(workspace) = canary.workspace_id.clone() else {
            return Err(Error::not_found("function", id));
        };
        for _ in 0..16 {
            let function = self.function(&workspace, id).await?;
            let app = self.serving_app(&function).await?;
            canary.configuration = image.configuration_now(canary.version, Some(&function));
            canary.disabled = function.disabled;
            // Above that of every canary before it, so that other servers notice this one.
            canary.revision = app.revision + 1.0;
            let mut next = app.clone();
            next.revision += 1.0;
            next.canary = canary
                .deployment_id
                .clone()
                .map(|deployment_id| CanaryRule {
                    app_name: canary.app_name.clone(),
                    deployment_id,
                    plan: record.plan.clone(),
                });
            let item = to_item(&canary)?;
            let mut writes = replace(&app, &next)?;
            writes.extend(turns.iter().map(Turn::check));
            writes.extend([
                Write::create(keys::app(&canary.app_name), item.clone()),
                Write::put(keys::app_entry(&canary.app_name), item),
                Write::put(keys::canary(id), to_item(record)?),
                Write::delete(keys::left_app(&canary.namespace, &canary.app_name)),
                // Its deletion takes down the apps that there are when it begins.
                Write::Check {
                    key: keys::function(&workspace, id),
                    condition: Condition::All(vec![
                        Condition::Exists,
                        Condition::Missing("deleting".to_owned()),
                        has_revision(function.revision),
                    ]),
                },
            ]);
            if self.table.try_transact(writes, None).await? {
                self.routes.insert(&canary);
                self.routes.insert(&next);
                return Ok(());
            }
        }
        Err(Error::conflict(
            "This function or its canary's app name was changed at the same moment. Reload and try again.",
        ))
    }

    /// Starts the version beside what serves; its app is written by the caller.
    async fn release_canary(
        &self,
        app: &AppRecord,
        function: &FunctionRecord,
        plan: &CanaryPlan,
    ) -> Result<(AppRecord, ImageRecord)> {
        let version: Version = self
            .table
            .get(&keys::version(&function.id, plan.version()))
            .await?
            .ok_or_else(|| Error::not_found("version", plan.version()).with_field("version"))?;
        let image = ImageRecord::of_version(&version, &image_of(&version)?);
        let app_name = self.canary_name(app)?;
        let taken: Option<AppRecord> = self.table.get(&keys::app(&app_name)).await?;
        if taken.is_some() {
            return Err(Error::conflict(format!(
                "The app name {app_name}, under which the canary would run, is another app's."
            )));
        }
        let mut canary = AppRecord {
            deployment_id: Some(new_id::deployment_id()),
            version: Some(version.number),
            image_ref: Some(image.image_ref.clone()),
            artifact: image.artifact.clone(),
            configuration: image.configuration_now(Some(version.number), Some(function)),
            canary: None,
            canary_of: Some(app.app_name.clone()),
            app_name,
            ..app.clone()
        };
        let deployed = self.switch(&canary).await.map_err(platform_error)?;
        canary.app_name = deployed.app_name;
        canary.endpoint = deployed.endpoint;
        Ok((canary, image))
    }

    fn canary_name(&self, app: &AppRecord) -> Result<AppName> {
        Ok(self.platform_name(&app.app_name.canary()?))
    }

    /// The newest canary, running or ended.
    pub async fn canary(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<Option<Canary>> {
        self.function(workspace, id).await?;
        let record: Option<Canary> = self.table.get(&keys::canary(id)).await?;
        Ok(record.map(|mut record| {
            if record.state == CanaryState::Running {
                record.counts = self.counts(&record.app_name);
            }
            record
        }))
    }

    async fn running_canary(&self, id: &FunctionId) -> Result<Option<Canary>> {
        let record: Option<Canary> = self.table.get(&keys::canary(id)).await?;
        Ok(record.filter(|record| record.state == CanaryState::Running))
    }

    /// Gives all calls back to what serves.
    pub async fn end_canary(
        self: &Arc<Self>,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<Canary> {
        self.function(workspace, id).await?;
        let running = self.running_canary(id).await?.ok_or_else(no_canary)?;
        let reason = format!("Ended by {}.", actor.name());
        self.finish_canary(
            &running.app_name,
            CanaryState::Ended,
            |_| true,
            move |_| reason.clone(),
        )
        .await?
        .ok_or_else(no_canary)
    }

    /// Ends the canary of an app if it fails too often. A call of an earlier one may end late, and asks for this in vain.
    pub(in crate::service) async fn return_canary(self: &Arc<Self>, app: &AppName) -> Result<()> {
        let trial = self.routes.get(app).and_then(|route| route.canary.clone());
        let Some(trial) = trial.filter(|trial| trial.is_over()) else {
            return Ok(());
        };
        let reason = |record: &Canary| {
            let (canary, serving) = (record.counts.canary, record.counts.serving);
            format!(
                "Of {} calls {:.1} % failed, and {:.1} % of the {} that the serving version took: more than {} percentage points apart.",
                canary.calls,
                canary.error_rate(),
                serving.error_rate(),
                serving.calls,
                record.plan.margin()
            )
        };
        let ended = self
            .finish_canary(
                app,
                CanaryState::Returned,
                move |rule| *rule == trial.rule,
                reason,
            )
            .await?;
        if let Some(record) = ended {
            tracing::warn!(%app, version = record.plan.version(), reason = record.reason, "a canary returned");
        }
        Ok(())
    }

    /// The canary becomes what serves.
    pub async fn promote_canary(
        self: &Arc<Self>,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<Canary> {
        let function = self.function(workspace, id).await?;
        let running = self.running_canary(id).await?.ok_or_else(no_canary)?;
        let number = running.plan.version();
        let version: Option<Version> = self.table.get(&keys::version(id, number)).await?;
        let version = version.ok_or_else(|| Error::not_found("version", number))?;
        self.deploy_to(actor, &running.app_name, &function, &version)
            .await?;
        self.table
            .get(&keys::canary(id))
            .await?
            .ok_or_else(no_canary)
    }

    /// `None` when there is none that is `meant`.
    async fn finish_canary(
        self: &Arc<Self>,
        app_name: &AppName,
        state: CanaryState,
        meant: impl Fn(&CanaryRule) -> bool + Send + Sync + 'static,
        reason: impl Fn(&Canary) -> String + Send + Sync + 'static,
    ) -> Result<Option<Canary>> {
        let (deployments, app_name) = (self.clone(), app_name.clone());
        let work = async move {
            let finished = deployments.finish_canary_in_turn(&app_name, state, meant, reason);
            finished.await
        };
        self.effects.run(work).await
    }

    async fn finish_canary_in_turn(
        &self,
        app_name: &AppName,
        state: CanaryState,
        meant: impl Fn(&CanaryRule) -> bool + Send + Sync,
        reason: impl Fn(&Canary) -> String + Send + Sync,
    ) -> Result<Option<Canary>> {
        let turn = self.turn(app_name, PATIENCE).await?;
        // A change of the function's settings moves the revision as well.
        for _ in 0..16 {
            let app: Option<AppRecord> = self.table.get(&keys::app(app_name)).await?;
            let Some(app) = app.filter(|app| app.canary.as_ref().is_some_and(&meant)) else {
                return Ok(None);
            };
            let Some((record, mut writes)) = self.canary_end(&app, state, &reason).await? else {
                return Ok(None);
            };
            let mut next = app.clone();
            next.revision += 1.0;
            next.canary = None;
            writes.extend(replace(&app, &next)?);
            writes.push(turn.check());
            if self.table.try_transact(writes, None).await? {
                self.routes.insert(&next);
                self.forget_canary(&app).await;
                return Ok(Some(record));
            }
        }
        Err(Error::overloaded(
            "This function is being changed by many callers at once. Try again in a moment.",
        ))
    }

    /// What ends the canary of an app, besides the app's own record.
    pub(super) async fn canary_end(
        &self,
        app: &AppRecord,
        state: CanaryState,
        reason: impl Fn(&Canary) -> String,
    ) -> Result<Option<(Canary, Vec<Write>)>> {
        let (Some(rule), Some(function)) = (&app.canary, &app.function_id) else {
            return Ok(None);
        };
        let record: Option<Canary> = self.table.get(&keys::canary(function)).await?;
        let Some(mut record) = record else {
            return Ok(None);
        };
        record.state = state;
        record.counts = self.counts(&app.app_name);
        record.ended_at = Some(Timestamp::now());
        record.reason = Some(reason(&record));
        let writes = vec![
            Write::delete(keys::app(&rule.app_name)),
            Write::delete(keys::app_entry(&rule.app_name)),
            Write::put(keys::canary(function), to_item(&record)?),
            left_canary(app, rule).write()?,
        ];
        Ok(Some((record, writes)))
    }

    /// Takes down what ran as the canary of an app until its record changed, unless its name is another app's already.
    pub(super) async fn forget_canary(&self, before: &AppRecord) {
        if let Some(rule) = &before.canary {
            let left = left_canary(before, rule);
            self.finish_left(&left, PATIENCE).await;
        }
    }

    fn counts(&self, app: &AppName) -> CanaryCounts {
        let route = self.routes.get(app);
        route
            .and_then(|route| Some(route.canary.as_ref()?.counts()))
            .unwrap_or_default()
    }
}

fn left_canary(app: &AppRecord, rule: &CanaryRule) -> LeftApp {
    LeftApp {
        app_name: rule.app_name.clone(),
        namespace: app.namespace.clone(),
    }
}

/// Replaces an app's record in both of its places, unless somebody else did.
fn replace(app: &AppRecord, next: &AppRecord) -> Result<Vec<Write>> {
    let item = to_item(next)?;
    let same = Condition::Equals("revision".to_owned(), app.revision.into());
    Ok(vec![
        Write::Put {
            key: keys::app(&app.app_name),
            item: item.clone(),
            condition: Some(same),
        },
        Write::put(keys::app_entry(&app.app_name), item),
    ])
}

fn no_canary() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "No canary of this function is running. Start one first.",
    )
}
