//! The routing table of the functions listener, in memory.
//!
//! Invariant: a route says what the record of its app says. Changes made here follow at once; where the store is shared, those of
//! other replicas within two seconds.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Semaphore;

use super::record::AppRecord;
use super::trial::Trial;
use super::{platform_error, unavailable};
use crate::model::deployment::AppName;
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::version::Configuration;
use crate::port::keys;
use crate::port::platform::{Platform, PlatformError, Release};
use crate::port::store::{Condition, Query, Update, Write};
use crate::service::executions::recorder::Owner;
use crate::service::functions::FunctionRecord;
use crate::service::functions::record::fingerprint;
use crate::service::table::{Table, internal};

/// How calls of one app are treated.
pub struct Route {
    pub app_name: AppName,
    pub workspace_id: Option<WorkspaceId>,
    pub function_id: Option<FunctionId>,
    pub version: Option<u32>,
    pub configuration: Configuration,
    /// Where the platform answers for it, once that is known.
    pub endpoint: Option<String>,
    pub disabled: bool,
    /// Another version on trial.
    pub canary: Option<Arc<Trial>>,
    /// Only calls of the app whose canary this is get here.
    pub is_canary: bool,
    /// Calls of this app at the same time, its canary's among them.
    pub concurrency: Arc<Semaphore>,
    revision: f64,
}

impl Route {
    pub fn owner(&self) -> Owner {
        match (&self.workspace_id, &self.function_id) {
            (Some(workspace), Some(function)) => Owner::Function {
                workspace: workspace.clone(),
                function: function.clone(),
            },
            _ => Owner::App(self.app_name.clone()),
        }
    }

    /// What executions name as their function: the function, or the app itself.
    pub fn recorded_as(&self) -> FunctionId {
        self.function_id.clone().unwrap_or_else(|| {
            FunctionId::parse(self.app_name.as_str()).expect("an app name is an id")
        })
    }
}

pub struct Routes {
    table: Table,
    platform: Arc<dyn Platform>,
    per_function: usize,
    by_app: RwLock<HashMap<AppName, Arc<Route>>>,
}

impl Routes {
    /// `per_function` is how many calls of one app run at the same time.
    pub fn new(table: Table, platform: Arc<dyn Platform>, per_function: usize) -> Arc<Self> {
        Arc::new(Self {
            table,
            platform,
            per_function,
            by_app: RwLock::default(),
        })
    }

    pub fn get(&self, app: &AppName) -> Option<Arc<Route>> {
        self.by_app
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(app)
            .cloned()
    }

    pub(super) fn insert(&self, app: &AppRecord) {
        let mut routes = self.by_app.write().unwrap_or_else(PoisonError::into_inner);
        let known = routes.get(&app.app_name);
        // Whoever read the record earlier may come later.
        if known.is_some_and(|route| route.revision > app.revision) {
            return;
        }
        let beside = app.canary.as_ref().map(|rule| &rule.app_name);
        let concurrency = known
            .or_else(|| routes.get(app.canary_of.as_ref().or(beside)?))
            .map_or_else(
                || Arc::new(Semaphore::new(self.per_function)),
                |route| route.concurrency.clone(),
            );
        // The counts go on while the canary is the same.
        let canary = app.canary.as_ref().map(|rule| {
            known
                .and_then(|route| route.canary.clone())
                .filter(|trial| trial.rule == *rule)
                .unwrap_or_else(|| Arc::new(Trial::new(rule.clone())))
        });
        let route = Route {
            app_name: app.app_name.clone(),
            workspace_id: app.workspace_id.clone(),
            function_id: app.function_id.clone(),
            version: app.version,
            configuration: app.configuration.clone(),
            endpoint: app.endpoint.clone(),
            disabled: app.disabled,
            canary,
            is_canary: app.canary_of.is_some(),
            concurrency,
            revision: app.revision,
        };
        routes.insert(app.app_name.clone(), Arc::new(route));
    }

    /// Apps whose endpoint is not known yet.
    pub(super) fn without_endpoint(&self) -> Vec<AppName> {
        let routes = self.by_app.read().unwrap_or_else(PoisonError::into_inner);
        let pending = routes.values().filter(|route| route.endpoint.is_none());
        pending.map(|route| route.app_name.clone()).collect()
    }

    pub(in crate::service) fn remove(&self, app: &AppName) {
        self.by_app
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(app);
    }

    /// Lets what serves follow a change of a function's settings: all its apps, and its canary. Answers the settings (their fingerprint)
    /// that its own app serves with.
    pub(in crate::service) async fn follow_function(
        &self,
        changed: &FunctionRecord,
    ) -> Result<Option<String>> {
        // A deployment may have been recorded since the change was begun.
        let key = keys::function(&changed.workspace_id, &changed.id);
        let Some(function) = self.table.get::<FunctionRecord>(&key).await? else {
            return Ok(None);
        };
        let mut beside = self.apps_of(&function.id).await?;
        let (mut serves_with, mut followed) = (None, Ok(()));
        if let Some(app) = &function.app_name {
            let settings = fingerprint(&function.configuration());
            let deployed = Update::new(key).set("deployedConfiguration", settings.as_str());
            let deployed = vec![Write::Update(deployed.when(Condition::Exists))];
            beside.remove(app);
            match self.follow_in(app, &function, deployed).await {
                // The record knows of a canary that began a moment ago, here or elsewhere; this server's route may not yet.
                Ok(Some(record)) => {
                    beside.extend(record.canary.map(|rule| rule.app_name));
                    serves_with = Some(settings);
                }
                Ok(None) => {}
                Err(error) => followed = Err(error),
            }
        }
        // The others as well when one does not: what is disabled answers nowhere.
        for app in &beside {
            let one = self.follow_in(app, &function, Vec::new()).await;
            followed = followed.and(one.map(drop));
        }
        followed.map(|()| serves_with)
    }

    /// Where others deploy too, this server may not serve the newest yet.
    async fn apps_of(&self, function: &FunctionId) -> Result<BTreeSet<AppName>> {
        if self.table.is_exclusive() {
            let routes = self.by_app.read().unwrap_or_else(PoisonError::into_inner);
            let own = routes
                .values()
                .filter(|route| route.function_id.as_ref() == Some(function));
            return Ok(own.map(|route| route.app_name.clone()).collect());
        }
        let mut apps: Vec<AppRecord> = self.table.all(Query::prefix(keys::APPS, "")).await?;
        apps.retain(|app| app.function_id.as_ref() == Some(function));
        Ok(apps.into_iter().map(|app| app.app_name).collect())
    }

    /// The app's record as it is then; `None` when it is another function's or gone.
    async fn follow_in(
        &self,
        app: &AppName,
        function: &FunctionRecord,
        mut writes: Vec<Write>,
    ) -> Result<Option<AppRecord>> {
        let configuration = function.configuration();
        let value =
            serde_json::to_value(&configuration).map_err(|cause| internal("STORE_ERROR", cause))?;
        let change = |key| {
            let update = Update::new(key)
                .set("configuration", value.clone())
                .set("disabled", function.disabled)
                .add("revision", 1.0)
                .when(Condition::Equals(
                    "function_id".to_owned(),
                    function.id.as_str().into(),
                ));
            Write::Update(update)
        };
        writes.extend([change(keys::app(app)), change(keys::app_entry(app))]);
        if !self.table.try_transact(writes, None).await? {
            return Ok(None);
        }
        let record: Option<AppRecord> = self.table.get(&keys::app(app)).await?;
        if let Some(record) = &record {
            let configured = self
                .platform
                .configure(app, &record.namespace, configuration.clone())
                .await;
            self.insert(record);
            configured.map_err(configure_error)?;
            self.configure_newest(app, configuration).await?;
        }
        Ok(record)
    }

    /// Gives the platform the settings that are recorded, where others were saved since it got `applied`.
    pub(super) async fn configure_newest(
        &self,
        app: &AppName,
        mut applied: Configuration,
    ) -> Result<()> {
        // Each look finds who came in between.
        for _ in 0..16 {
            let record: Option<AppRecord> = self.table.get(&keys::app(app)).await?;
            let Some(record) = record.filter(|record| record.configuration != applied) else {
                return Ok(());
            };
            applied = record.configuration.clone();
            let configured = self
                .platform
                .configure(app, &record.namespace, applied.clone())
                .await;
            self.insert(&record);
            configured.map_err(configure_error)?;
        }
        Ok(())
    }

    /// Lets this server serve what the table says: at start, and every two seconds where the store is shared.
    pub async fn follow_table(&self) -> Result<usize> {
        let apps: Vec<AppRecord> = self.table.all(Query::prefix(keys::APPS, "")).await?;
        let known: HashSet<AppName> = apps.iter().map(|app| app.app_name.clone()).collect();
        let changed: Vec<&AppRecord> = apps
            .iter()
            .filter(|app| {
                app.deployment_id.is_some()
                    && self
                        .get(&app.app_name)
                        .is_none_or(|route| route.revision < app.revision)
            })
            .collect();
        futures::future::join_all(changed.iter().map(|app| self.start(app))).await;
        let gone: Vec<AppName> = self
            .by_app
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .filter(|app| !known.contains(*app))
            .cloned()
            .collect();
        for app in gone {
            self.remove(&app);
        }
        Ok(changed.len())
    }

    async fn start(&self, app: &AppRecord) {
        if let Err(error) = self.resume(app.clone()).await {
            tracing::error!(app = %app.app_name, %error, "a deployed app does not start");
        }
    }

    async fn resume(&self, mut app: AppRecord) -> Result<()> {
        while let Some(release) = release(&app) {
            let resumed = self.platform.resume(release, app.endpoint.clone()).await;
            resumed.map_err(platform_error)?;
            self.insert(&app);
            let is_newest = |route: Arc<Route>| route.revision <= app.revision;
            if self.get(&app.app_name).is_none_or(is_newest) {
                return Ok(());
            }
            // A deployment here was recorded meanwhile, and this may have put what it replaced back.
            match self.table.get(&keys::app(&app.app_name)).await? {
                Some(newest) => app = newest,
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

/// The settings are saved by then: methods, limits and whether it is disabled hold here in any case.
fn configure_error(error: PlatformError) -> Error {
    match error {
        PlatformError::Unavailable(text)
        | PlatformError::Unconfirmed(text)
        | PlatformError::Refused(text) => unavailable(format!(
            "The settings are saved, but the function's variables could not be set. Save them again, or deploy. {text}"
        )),
        PlatformError::UnknownNamespace(_)
        | PlatformError::Taken(_)
        | PlatformError::Unrunnable(_)
        | PlatformError::Failed(_) => internal("DEPLOY_ERROR", error),
    }
}

/// What serves under an app's name, for a platform.
pub(super) fn release(app: &AppRecord) -> Option<Release> {
    Some(Release {
        deployment_id: app.deployment_id.clone()?,
        app_name: app.app_name.clone(),
        namespace: app.namespace.clone(),
        function_id: app.function_id.clone(),
        claimed_by: app.claimed_by.clone(),
        version: app.version,
        image_ref: app.image_ref.clone()?,
        artifact: app.artifact.clone(),
        configuration: app.configuration.clone(),
        options: app.options.clone(),
    })
}
