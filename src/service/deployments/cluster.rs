//! What a platform outside of this server adds: names of its own, endpoints that come later, apps that could not be taken down.

use serde::{Deserialize, Serialize};

use super::record::AppRecord;
use super::{Deployments, partition};
use crate::model::deployment::{AppName, Namespace};
use crate::model::error::{Error, Result};
use crate::model::platform::PlatformKind;
use crate::port::keys;
use crate::port::platform::Deployed;
use crate::port::store::{Condition, Query, Update, Write};
use crate::service::table::to_item;

/// An app of the platform that no record names and that is still to be taken down.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LeftApp {
    app_name: AppName,
    namespace: Namespace,
}

impl Deployments {
    pub fn platform_kind(&self) -> PlatformKind {
        self.platform.kind()
    }

    /// What an app is called here that is asked for by this name.
    pub fn platform_name(&self, wanted: &AppName) -> AppName {
        self.platform.kind().app_name(wanted)
    }

    /// Where the platform answered another name than was asked for: the app, if any, that the deployment replaced under that one.
    pub(super) async fn renamed(
        &self,
        next: &mut AppRecord,
        deployed: &Deployed,
    ) -> Result<Option<Option<AppRecord>>> {
        if deployed.app_name == next.app_name {
            return Ok(None);
        }
        let before: Option<AppRecord> = self.table.get(&keys::app(&deployed.app_name)).await?;
        if let Some(app) = &before {
            if app.function_id.is_some() && app.function_id != next.function_id {
                return Err(Error::conflict(format!(
                    "The platform calls this app {}, which belongs to another function. Choose another name.",
                    deployed.app_name
                ))
                .with_field("app_name"));
            }
            next.revision = next.revision.max(app.revision + 1.0);
        }
        Ok(Some(before))
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
        let write = Write::put(keys::left_app(namespace, app), to_item(&left)?);
        self.table.write(write).await
    }

    /// Tries again what [`Self::take_down`] could not do, unless the name was deployed anew.
    pub(in crate::service) async fn take_down_left(&self) -> Result<()> {
        let left: Vec<LeftApp> = self.table.all(Query::prefix(keys::LEFT_APPS, "")).await?;
        for LeftApp {
            app_name,
            namespace,
        } in left
        {
            let _turn = self.turn(&app_name).await;
            let app: Option<AppRecord> = self.table.get(&keys::app(&app_name)).await?;
            let is_new = app.is_some_and(|app| app.namespace == namespace);
            if !is_new && let Err(error) = self.platform.delete(&app_name, &namespace).await {
                tracing::warn!(app = %app_name, %error, "an app could not be taken down yet");
                continue;
            }
            let key = keys::left_app(&namespace, &app_name);
            self.table.write(Write::delete(key)).await?;
        }
        Ok(())
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
