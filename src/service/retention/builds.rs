//! Tasks and versions that are old enough to go.

use std::collections::HashSet;

use super::Retention;
use crate::model::deployment::ImageRef;
use crate::model::error::Result;
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::version::Version;
use crate::port::keys;
use crate::port::store::{Condition, Query, Write};
use crate::service::builds::history;
use crate::service::builds::record::TaskRecord;
use crate::service::deployments::record::{AppRecord, ImageRecord};
use crate::service::functions::FunctionRecord;
use crate::service::table::blob_error;
use crate::service::versions::marks::Marks;

/// Versions by their functions and numbers.
type Versions = HashSet<(FunctionId, u32)>;

impl Retention {
    /// Drops tasks that are old enough, and lets the functions of the others list them.
    pub(super) async fn settle_tasks(&self) -> Result<()> {
        let oldest = Timestamp::now().plus_seconds(-i64::from(self.settings.days) * 86_400);
        for workspace in self.workspaces().await? {
            let tasks = self.tasks(&workspace).await?;
            let mut versions = Versions::new();
            for function in self.all_functions(&workspace).await? {
                let of_function = self.versions(&function.id).await?.into_iter();
                versions.extend(of_function.map(|version| (version.function_id, version.number)));
            }
            let (old, kept): (Vec<_>, Vec<_>) = tasks
                .into_iter()
                .partition(|task| task.updated_at < oldest && is_over(task, &versions));
            for task in &old {
                self.drop_task(&workspace, task).await?;
            }
            self.parts.builds.list_missing(&workspace, &kept).await?;
        }
        Ok(())
    }

    async fn drop_task(&self, workspace: &WorkspaceId, task: &TaskRecord) -> Result<()> {
        self.table
            .delete_partition(&keys::task_partition(&task.task_id), "")
            .await?;
        let folder = format!("build-sources/{workspace}/{}/", task.task_id);
        let sources = self.parts.blobs.delete_folder(&folder).await;
        sources.map_err(blob_error)?;
        let mut writes = vec![Write::delete(keys::task(workspace, &task.task_id))];
        writes.extend(history::unlisting(task));
        self.table.transact(writes).await
    }

    /// Newest first.
    async fn versions(&self, function: &FunctionId) -> Result<Vec<Version>> {
        let partition = keys::function_partition(function);
        self.table
            .all(Query::prefix(partition, keys::VERSION_PREFIX).newest_first())
            .await
    }

    pub(super) async fn drop_old_versions(&self) -> Result<()> {
        let apps: Vec<AppRecord> = self.table.all(Query::prefix(keys::APPS, "")).await?;
        for workspace in self.workspaces().await? {
            for function in self.all_functions(&workspace).await? {
                self.drop_versions_of(&function, &apps).await?;
            }
        }
        Ok(())
    }

    async fn drop_versions_of(&self, function: &FunctionRecord, apps: &[AppRecord]) -> Result<()> {
        let marks = Marks::of(&self.table, &function.id).await?;
        let versions = self.versions(&function.id).await?;
        for version in versions.into_iter().skip(self.settings.versions) {
            // The apps were read a while ago; the function says what was deployed since.
            if marks.keep(version.number)
                || function.deployed_version == Some(version.number)
                || apps.iter().any(|app| serves(app, &version))
            {
                continue;
            }
            let deployment = "deploymentId".to_owned();
            let same_deployment = match &function.deployment_id {
                Some(id) => Condition::Equals(deployment, id.as_str().into()),
                None => Condition::Missing(deployment),
            };
            let mut writes = vec![
                Write::delete(keys::version(&function.id, version.number)),
                marks.check(&function.id),
                Write::Check {
                    key: keys::function(&function.workspace_id, &function.id),
                    condition: same_deployment,
                },
            ];
            writes.extend(self.own_image(&version).await?);
            if !self.table.try_transact(writes, None).await? {
                // Labelled, pinned or deployed meanwhile; the next round knows.
                return Ok(());
            }
            self.parts
                .blobs
                .delete(&version.source_key)
                .await
                .map_err(blob_error)?;
        }
        Ok(())
    }

    /// Deletes what a version's image is found by, unless a later build has the name.
    async fn own_image(&self, version: &Version) -> Result<Option<Write>> {
        let Ok(image_ref) = ImageRef::parse(&version.image_ref) else {
            return Ok(None);
        };
        let key = keys::image(&image_ref);
        let image: Option<ImageRecord> = self.table.get(&key).await?;
        let is_own = image.is_some_and(|image| image.task_id.as_ref() == Some(&version.task_id));
        Ok(is_own.then(|| Write::delete(key)))
    }
}

/// Whether an app runs the version, or its image as nobody's version.
fn serves(app: &AppRecord, version: &Version) -> bool {
    match app.version {
        Some(number) => {
            number == version.number && app.function_id.as_ref() == Some(&version.function_id)
        }
        None => app
            .image_ref
            .as_ref()
            .is_some_and(|image| image.as_str() == version.image_ref),
    }
}

/// Whether nothing needs a task any more: it ended, and its source is that of none of the versions.
fn is_over(task: &TaskRecord, versions: &Versions) -> bool {
    let is_kept = task
        .function_id
        .clone()
        .zip(task.version)
        .is_some_and(|version| versions.contains(&version));
    task.status.is_terminal() && !is_kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_task_outlives_its_end_only_with_its_version() {
        let task = |status: &str, version: Option<u32>| -> TaskRecord {
            let task = json!({
                "task_id": "t-1", "workspace_id": "ws-1", "function_id": "fn-1", "app_name": "shop", "status": status, "version": version,
                "created_at": "2026-11-20T14:02:11+09:00", "updated_at": "2026-11-20T14:02:11+09:00",
            });
            serde_json::from_value(task).expect("a task")
        };
        let versions = Versions::from([(FunctionId::parse("fn-1").expect("an id"), 2)]);
        assert!(
            is_over(&task("done", Some(1)), &versions),
            "its version is gone"
        );
        assert!(!is_over(&task("done", Some(2)), &versions));
        assert!(is_over(&task("failed", None), &versions));
        assert!(!is_over(&task("building", None), &versions));
    }
}
