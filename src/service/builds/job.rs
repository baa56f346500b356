//! The job that somebody else works on for a task, in the task's record.

use async_trait::async_trait;
use std::time::Duration;

use super::engine::holds;
use super::record::TaskRecord;
use crate::port::builder::{BuildError, Job, JobRecord};
use crate::port::keys;
use crate::port::store::Update;
use crate::service::table::Table;

/// Between attempts to write: a job that is not kept would be begun again.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

pub(super) struct TaskJob {
    table: Table,
    task: TaskRecord,
}

impl TaskJob {
    /// `task` as it was claimed.
    pub(super) fn new(table: &Table, task: &TaskRecord) -> Self {
        Self {
            table: table.clone(),
            task: task.clone(),
        }
    }
}

#[async_trait]
impl JobRecord for TaskJob {
    fn earlier(&self) -> Option<Job> {
        self.task.job.clone()
    }

    async fn keep(&self, job: &Job) -> Result<(), BuildError> {
        let failed = |cause: &dyn std::fmt::Display| {
            BuildError::Failed(format!("the job could not be kept: {cause}"))
        };
        let job = serde_json::to_value(job).map_err(|cause| failed(&cause))?;
        let key = keys::task(&self.task.workspace_id, &self.task.task_id);
        let mut pauses = PAUSES.into_iter();
        loop {
            let update = Update::new(key.clone())
                .set("job", job.clone())
                .when(holds(&self.task));
            match self.table.try_update::<serde_json::Value>(update).await {
                Ok(Some(_)) => return Ok(()),
                // Another server has the task, or it is gone.
                Ok(None) => return Err(BuildError::Cancelled),
                Err(error) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(failed(&error)),
                },
            }
        }
    }
}
