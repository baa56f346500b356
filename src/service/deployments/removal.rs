//! Takes apps down for good: part of deleting what they belong to.

use std::collections::HashMap;

use super::Deployments;
use super::record::AppRecord;
use super::turn::LONG_PATIENCE;
use crate::model::deployment::AppName;
use crate::model::error::Result;
use crate::model::id::{FunctionId, WorkspaceId};
use crate::port::keys;
use crate::port::store::{Query, Write};

/// What apps are deleted with.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum AppOwner {
    Function(FunctionId),
    /// Of apps that belong to no function: where their images were built.
    Workspace(WorkspaceId),
}

impl AppOwner {
    /// `None` for an image of others under no function.
    fn of(app: &AppRecord) -> Option<Self> {
        let function = app.function_id.clone().map(Self::Function);
        function.or_else(|| app.workspace_id.clone().map(Self::Workspace))
    }
}

impl Deployments {
    /// Takes an app down and forgets it, if it still is this owner's. Absence is fine.
    pub(in crate::service) async fn remove_app(
        &self,
        owner: &AppOwner,
        app_name: &AppName,
    ) -> Result<()> {
        let turn = self.turn(app_name, LONG_PATIENCE).await?;
        let app: Option<AppRecord> = self.table.get(&keys::app(app_name)).await?;
        let Some(app) = app.filter(|app| AppOwner::of(app).as_ref() == Some(owner)) else {
            return Ok(());
        };
        self.routes.remove(app_name);
        self.take_down(app_name, &app.namespace).await?;
        self.table
            .transact(vec![
                turn.check(),
                Write::delete(keys::app(app_name)),
                Write::delete(keys::app_entry(app_name)),
            ])
            .await?;
        self.table
            .delete_partition(&keys::app_partition(app_name), "")
            .await
    }

    pub(in crate::service) async fn apps_by_owner(
        &self,
    ) -> Result<HashMap<AppOwner, Vec<AppName>>> {
        let apps: Vec<AppRecord> = self.table.all(Query::prefix(keys::APPS, "")).await?;
        let mut by_owner = HashMap::<_, Vec<AppName>>::new();
        for app in apps {
            if let Some(owner) = AppOwner::of(&app) {
                by_owner.entry(owner).or_default().push(app.app_name);
            }
        }
        Ok(by_owner)
    }
}
