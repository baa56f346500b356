//! Ends of tasks, and what comes after: cancelled, run again, finished, removed.

use std::sync::PoisonError;

use super::Builds;
use super::history;
use super::record::{TaskKind, TaskRecord};
use super::submit::new_record;
use crate::model::deployment::ImageRef;
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, TaskId, WorkspaceId};
use crate::model::task::{StageStatus, TaskStatus};
use crate::model::time::Timestamp;
use crate::port::keys;
use crate::port::store::{Condition, Query, Update, Write};
use crate::service::actor::Actor;
use crate::service::deployments::record::ImageRecord;
use crate::service::functions::FunctionRecord;
use crate::service::new_id;
use crate::service::table::{blob_error, to_item};

impl Builds {
    /// Ends a task that is not done: at once when it waits, within seconds when it runs. One that has ended stays as it is: whoever asks
    /// again, because an answer got lost, has what was wanted.
    pub async fn cancel(&self, actor: &Actor, id: &TaskId) -> Result<TaskRecord> {
        let record = self.get(actor, id, None).await?;
        if record.status.is_terminal() {
            return Ok(record);
        }
        if let Some(ended) = self.end_waiting(&record).await? {
            return Ok(ended);
        }
        let key = keys::task(&record.workspace_id, id);
        let _: Option<serde_json::Value> = self
            .table
            .try_update(
                Update::new(key)
                    .set("cancel_requested", true)
                    .when(Condition::Exists),
            )
            .await?;
        if let Some(token) = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
        {
            token.cancel();
        }
        self.get(actor, id, None).await
    }

    /// Cancels a task that has not begun; `None` for one that has.
    pub(in crate::service) async fn end_waiting(
        &self,
        record: &TaskRecord,
    ) -> Result<Option<TaskRecord>> {
        if record.status != TaskStatus::Pending || record.lease_owner.is_some() {
            return Ok(None);
        }
        let waiting = Condition::All(vec![
            Condition::Equals("status".to_owned(), "pending".into()),
            Condition::Equals("fence".to_owned(), record.fence.into()),
        ]);
        let mut ended = record.clone();
        ended.status = TaskStatus::Cancelled;
        // Whoever read the task before cannot claim it any more.
        ended.fence += 1.0;
        ended.error_message = Some("Cancelled before it started.".to_owned());
        ended.end_running(StageStatus::Skipped, Timestamp::now());
        ended.updated_at = Timestamp::now();
        let is_ended = self.finish(&ended, Some(waiting)).await?;
        Ok(is_ended.then_some(ended))
    }

    /// Queues the same source again as a new task.
    pub async fn retry(&self, actor: &Actor, id: &TaskId) -> Result<TaskRecord> {
        let earlier = self.get(actor, id, None).await?;
        if !matches!(earlier.status, TaskStatus::Failed | TaskStatus::Cancelled) {
            return Err(Error::conflict(format!(
                "This task is {}; only a failed or cancelled one can be run again.",
                earlier.status.as_str()
            )));
        }
        if earlier
            .push
            .as_ref()
            .is_some_and(|push| push.with_credentials)
        {
            return Err(Error::conflict(
                "This task was given registry credentials, which are never stored. Send the request again with them.",
            ));
        }
        let function = match &earlier.function_id {
            Some(function) => Some(
                self.functions
                    .record(&earlier.workspace_id, function)
                    .await?,
            ),
            None => None,
        };
        let mut record = new_record(
            actor,
            new_id::task_id(),
            earlier.workspace_id.clone(),
            earlier.app_name.clone(),
            earlier.kind,
        );
        record.source_key = self.copy_source(earlier.source_key, &record).await?;
        record.entry_key = self.copy_source(earlier.entry_key, &record).await?;
        record.source_code_path = match &record.source_key {
            Some(key) => Some(self.blobs.url(key)),
            None => earlier.source_code_path,
        };
        record.function_id = earlier.function_id;
        record.source_sha256 = earlier.source_sha256;
        record.source = earlier.source;
        record.configuration = earlier.configuration;
        record.push = earlier.push;
        record.deploy = earlier.deploy;
        if earlier.kind == TaskKind::Push {
            record.artifact = earlier.artifact;
            record.wasm_path = earlier.wasm_path;
            record.version = earlier.version;
        }
        self.enqueue(record, function.as_ref(), None).await
    }

    /// An object of an earlier task as one of this task: each goes with its own, and a version may come of this one.
    async fn copy_source(&self, key: Option<String>, task: &TaskRecord) -> Result<Option<String>> {
        let Some(key) = key else { return Ok(None) };
        let name = key.rsplit('/').next().unwrap_or("source");
        let copy = format!(
            "build-sources/{}/{}/{name}",
            task.workspace_id, task.task_id
        );
        let content = self.blobs.get(&key, None).await.map_err(blob_error)?;
        self.blobs
            .put(&copy, content, None)
            .await
            .map_err(blob_error)?;
        Ok(Some(copy))
    }

    /// Records a task's end, or refuses when the condition no longer holds. The function it belongs to is free again.
    pub(super) async fn finish(
        &self,
        record: &TaskRecord,
        condition: Option<Condition>,
    ) -> Result<bool> {
        let mut ended = record.clone();
        ended.lease_owner = None;
        ended.lease_until = 0.0;
        let writes = vec![
            Write::Put {
                key: keys::task(&record.workspace_id, &record.task_id),
                item: to_item(&ended)?,
                condition,
            },
            Write::delete(keys::queue_entry(record.created_at, &record.task_id)),
        ];
        let of_function = self.free_function(record).await?;
        let is_newest = of_function.is_some();
        let with_function = writes.iter().cloned().chain(of_function).collect();
        let mut finished = self.table.try_transact(with_function, None).await?;
        // The function may have been given a newer task in between; then only this one has to end.
        if !finished && is_newest && self.free_function(record).await?.is_none() {
            finished = self.table.try_transact(writes, None).await?;
        }
        if finished {
            self.drop_credentials(&record.task_id);
            self.news.notify_waiters();
        }
        Ok(finished)
    }

    /// What says of the task's function that nothing of it is under way, where this task is its newest.
    async fn free_function(&self, record: &TaskRecord) -> Result<Option<Write>> {
        let Some(function) = &record.function_id else {
            return Ok(None);
        };
        let key = keys::function(&record.workspace_id, function);
        let current: Option<FunctionRecord> = self.table.get(&key).await?;
        let is_newest =
            current.is_some_and(|function| function.task_id.as_ref() == Some(&record.task_id));
        let mine = Condition::Equals("taskId".to_owned(), record.task_id.as_str().into());
        Ok(is_newest.then(|| {
            Write::Update(
                Update::new(key)
                    .remove("work")
                    .set("failed", record.status == TaskStatus::Failed)
                    .when(mine),
            )
        }))
    }

    /// Deletes a workspace's tasks that belong to a function, or all of them: records, output and sources. Their artifacts, which
    /// others may share, are collected once nothing names them.
    pub(in crate::service) async fn remove(
        &self,
        workspace: &WorkspaceId,
        function: Option<&FunctionId>,
    ) -> Result<()> {
        let tasks: Vec<TaskRecord> = self
            .table
            .all(Query::prefix(
                keys::workspace_partition(workspace),
                keys::TASK_PREFIX,
            ))
            .await?;
        for task in tasks {
            if function.is_some() && task.function_id.as_ref() != function {
                continue;
            }
            if let Some(token) = self
                .running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&task.task_id)
            {
                token.cancel();
            }
            self.table
                .delete_partition(&keys::task_partition(&task.task_id), "")
                .await?;
            let folder = format!("build-sources/{workspace}/{}/", task.task_id);
            let sources = self.blobs.delete_folder(&folder).await;
            sources.map_err(blob_error)?;
            let mut writes = vec![Write::delete(keys::queue_entry(
                task.created_at,
                &task.task_id,
            ))];
            writes.extend(self.forget_image(&task).await?);
            writes.extend(history::unlisting(&task));
            writes.push(Write::delete(keys::task(workspace, &task.task_id)));
            self.table.transact(writes).await?;
        }
        Ok(())
    }
    /// Deletes what a task's image is found by, unless a later build has the name.
    async fn forget_image(&self, task: &TaskRecord) -> Result<Option<Write>> {
        let name = task.image_url.as_deref();
        let Some(name) = name.and_then(|name| ImageRef::parse(name).ok()) else {
            return Ok(None);
        };
        let key = keys::image(&name);
        let image: Option<ImageRecord> = self.table.get(&key).await?;
        let is_own = image.is_some_and(|image| image.task_id.as_ref() == Some(&task.task_id));
        Ok(is_own.then(|| Write::delete(key)))
    }
}
