//! What a platform outside of this server adds: names of its own, endpoints that come later, apps that are still to be taken down.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::record::AppRecord;
use super::{Deployments, partition, platform_error};
use crate::model::deployment::{AppName, Namespace};
use crate::model::error::Result;
use crate::model::platform::PlatformKind;
use crate::port::keys;
use crate::port::store::{Condition, Query, Update, Write};
use crate::service::table::to_item;

/// An app of the platform that no record names and that is still to be taken down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LeftApp {
    pub app_name: AppName,
    pub namespace: Namespace,
}

impl LeftApp {
    /// What an app has where it is.
    pub fn of(app: &AppRecord) -> Self {
        Self {
            app_name: app.app_name.clone(),
            namespace: app.namespace.clone(),
        }
    }

    pub fn write(&self) -> Result<Write> {
        let key = keys::left_app(&self.namespace, &self.app_name);
        Ok(Write::put(key, to_item(self)?))
    }
}

impl Deployments {
    pub fn platform_kind(&self) -> PlatformKind {
        self.platform.kind()
    }

    /// What an app is called here that is asked for by this name.
    pub fn platform_name(&self, wanted: &AppName) -> AppName {
        self.platform.kind().app_name(wanted)
    }

    /// Takes an app down that no record names from here on. What fails is written down, and tried again by [`Self::take_down_left`].
    pub(super) async fn take_down(&self, app: &AppName, namespace: &Namespace) -> Result<()> {
        let Err(error) = self.platform.delete(app, namespace).await else {
            return Ok(());
        };
        tracing::error!(%app, %error, "an app could not be taken down; it is tried again every minute");
        let left = LeftApp {
            app_name: app.clone(),
            namespace: namespace.clone(),
        };
        self.table.write(left.write()?).await
    }

    /// Tries again what [`Self::take_down`] could not do.
    pub(in crate::service) async fn take_down_left(&self) -> Result<()> {
        let left: Vec<LeftApp> = self.table.all(Query::prefix(keys::LEFT_APPS, "")).await?;
        for left in left {
            // Whoever has the turn may deploy it anew.
            self.finish_left(&left, Duration::ZERO).await;
        }
        Ok(())
    }

    /// Takes down what is left, unless it was deployed anew. What fails is tried again every minute.
    pub(super) async fn finish_left(&self, left: &LeftApp, patience: Duration) {
        if let Err(error) = self.try_finish_left(left, patience).await {
            tracing::warn!(app = %left.app_name, %error, "an app could not be taken down yet");
        }
    }

    async fn try_finish_left(&self, left: &LeftApp, patience: Duration) -> Result<()> {
        let LeftApp {
            app_name,
            namespace,
        } = left;
        let turn = self.turn(app_name, patience).await?;
        let app: Option<AppRecord> = self.table.get(&keys::app(app_name)).await?;
        if app.is_none() {
            self.routes.remove(app_name);
        }
        if app.is_none_or(|app| app.namespace != *namespace) {
            let deleted = self.platform.delete(app_name, namespace).await;
            deleted.map_err(platform_error)?;
        }
        let writes = vec![
            turn.check(),
            Write::delete(keys::left_app(namespace, app_name)),
        ];
        self.table.transact(writes).await
    }

    /// Writes down the endpoints of apps that were deployed before they had one.
    pub async fn complete_endpoints(&self) -> Result<()> {
        if self.platform.kind() == PlatformKind::Embedded {
            return Ok(());
        }
        for app in self.routes.without_endpoint() {
            self.complete_endpoint(&app).await?;
        }
        Ok(())
    }

    async fn complete_endpoint(&self, app: &AppName) -> Result<()> {
        let record: Option<AppRecord> = self.table.get(&keys::app(app)).await?;
        let Some(record) = record.filter(|record| record.endpoint.is_none()) else {
            return Ok(());
        };
        let Some(id) = record.deployment_id.clone() else {
            return Ok(());
        };
        let endpoint = match self.platform.find_endpoint(app, &record.namespace).await {
            Ok(Some(endpoint)) => endpoint,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(%app, %error, "an app's endpoint could not be asked for");
                return Ok(());
            }
        };
        let same = Condition::Equals("deployment_id".to_owned(), id.as_str().into());
        let change = |key| {
            let update = Update::new(key).set("endpoint", endpoint.as_str());
            Write::Update(update.add("revision", 1.0).when(same.clone()))
        };
        let mut writes = vec![change(keys::app(app)), change(keys::app_entry(app))];
        if let Some(found) = self.find(&id).await? {
            let key = keys::deployment(&partition(&found.deployment), &id);
            let update = Update::new(key).set("endpoint", endpoint.as_str());
            writes.push(Write::Update(update.when(Condition::Exists)));
        }
        if self.table.try_transact(writes, None).await? {
            let record: Option<AppRecord> = self.table.get(&keys::app(app)).await?;
            if let Some(record) = record {
                self.routes.insert(&record);
            }
        }
        Ok(())
    }
}
