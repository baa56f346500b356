//! What takes room on the disk: artifacts that no record names, and executions where there is a limit.

use std::collections::HashSet;

use super::{GRACE, Retention};
use crate::model::error::Result;
use crate::model::time::Timestamp;
use crate::model::version::Version;
use crate::port::keys::{self, EXECUTION_PREFIX};
use crate::port::store::Query;
use crate::service::deployments::record::AppRecord;
use crate::service::executions::activity::{self, Recorded};
use crate::service::idempotency;
use crate::service::table::blob_error;

/// Executions that are deleted between two looks at the disk, at most.
const OLDEST: usize = 1_000;

impl Retention {
    /// Keys and hashes of artifacts that a record names; `strictly` leaves out those of builds that made no version and serve nowhere.
    async fn named_artifacts(&self, strictly: bool) -> Result<(HashSet<String>, HashSet<String>)> {
        let (mut keys_named, mut hashes) = (HashSet::new(), HashSet::new());
        let mut name = |artifact: Option<crate::model::version::Artifact>| {
            if let Some(artifact) = artifact {
                // A component beside an image can be made again.
                if !strictly {
                    keys_named.insert(artifact.portable_key());
                }
                keys_named.insert(artifact.key);
                hashes.insert(artifact.sha256);
            }
        };
        let apps: Vec<AppRecord> = self.table.all(Query::prefix(keys::APPS, "")).await?;
        for app in apps {
            name(app.artifact);
        }
        for workspace in self.workspaces().await? {
            for function in self.all_functions(&workspace).await? {
                let versions: Vec<Version> = self
                    .table
                    .all(Query::prefix(
                        keys::function_partition(&function.id),
                        keys::VERSION_PREFIX,
                    ))
                    .await?;
                for version in versions {
                    name(version.artifact);
                }
            }
            if !strictly {
                let tasks = self.tasks(&workspace).await?;
                for task in tasks {
                    name(task.artifact);
                }
            }
        }
        Ok((keys_named, hashes))
    }

    /// Deletes artifacts older than `before` (seconds) that no record names, and native programs made of them. Answers the bytes freed.
    pub(super) async fn collect_artifacts(&self, before: i64, strictly: bool) -> Result<u64> {
        let (named, hashes) = self.named_artifacts(strictly).await?;
        let mut freed = 0;
        let artifacts = if self.settings.owns_artifacts {
            let listed = self.parts.blobs.list("build-artifacts/").await;
            listed.map_err(blob_error)?
        } else {
            Vec::new()
        };
        for blob in artifacts {
            if blob.modified < before && !named.contains(&blob.key) {
                self.parts
                    .blobs
                    .delete(&blob.key)
                    .await
                    .map_err(blob_error)?;
                freed += blob.size;
            }
        }
        match self.parts.platform.collect(&hashes).await {
            Ok(bytes) => Ok(freed + bytes),
            Err(error) => {
                tracing::warn!(%error, "native programs could not be collected");
                Ok(freed)
            }
        }
    }

    /// Deletes the bodies of answers whose records expired.
    pub(super) async fn drop_old_answers(&self) -> Result<()> {
        let blobs = &self.parts.blobs;
        let before = Timestamp::now().seconds() - idempotency::KEPT - GRACE;
        let bodies = blobs.list(idempotency::BLOBS).await.map_err(blob_error)?;
        for body in bodies.iter().filter(|body| body.modified < before) {
            blobs.delete(&body.key).await.map_err(blob_error)?;
        }
        Ok(())
    }

    async fn disk_usage(&self) -> u64 {
        let store = self.parts.store.disk_usage().await.unwrap_or_default();
        let blobs = self.parts.blobs.disk_usage().await.unwrap_or_default();
        store + blobs + self.parts.platform.cache_usage().await.unwrap_or_default()
    }

    /// Unused artifacts go first, then the oldest executions.
    pub(super) async fn keep_disk_limit(&self) -> Result<()> {
        let Some(limit) = self.settings.max_data else {
            return Ok(());
        };
        if self.disk_usage().await <= limit {
            return Ok(());
        }
        self.collect_artifacts(Timestamp::now().seconds() - 60, true)
            .await?;
        for _ in 0..100 {
            let usage = self.disk_usage().await;
            if usage <= limit {
                return Ok(());
            }
            if self.drop_oldest_executions(usage - limit).await? == 0 {
                tracing::warn!(
                    limit,
                    "the data is larger than BLUE_FAAS_MAX_DATA although nothing unused is left; deployed versions need the rest"
                );
                break;
            }
        }
        Ok(())
    }

    /// Deletes some of the oldest executions over all functions until `over` bytes are free. Answers the bytes that are: with none,
    /// something else fills the disk, and nothing more may be deleted in vain.
    async fn drop_oldest_executions(&self, over: u64) -> Result<u64> {
        let oldest = self.oldest_executions().await?;
        let usage = async || self.parts.store.disk_usage().await.unwrap_or_default();
        let before = usage().await;
        let mut freed = 0;
        let mut oldest = oldest.into_iter().peekable();
        while oldest.peek().is_some() {
            let some = oldest.by_ref().take(50);
            self.table.transact(activity::deletions(some)).await?;
            freed = before.saturating_sub(usage().await);
            if freed >= over {
                break;
            }
        }
        Ok(freed)
    }

    /// The oldest first. An entry comes with the last of its executions, and not when there may be more of them.
    async fn oldest_executions(&self) -> Result<Vec<Recorded>> {
        let mut oldest: Vec<Recorded> = Vec::new();
        // Where the first function ends of which not all was read: what is older over all of them is known up to there.
        let mut horizon: Option<String> = None;
        for workspace in self.workspaces().await? {
            for function in self.all_functions(&workspace).await? {
                let partition = keys::function_partition(&function.id);
                let query = Query::prefix(partition, EXECUTION_PREFIX).limit(OLDEST);
                let page = self.table.page(&query).await?;
                horizon = horizon.into_iter().chain(page.next).min();
                let items = page.items.into_iter();
                oldest.extend(items.map(|item| Recorded::of(&workspace, &function.id, item)));
                oldest.sort_by(|a, b| a.execution.sk.cmp(&b.execution.sk));
                oldest.truncate(OLDEST);
            }
        }
        if oldest.len() == OLDEST {
            let last = oldest.last().map(|one| one.execution.sk.clone());
            horizon = horizon.into_iter().chain(last).min();
        }
        if let Some(horizon) = &horizon {
            oldest.retain(|one| one.execution.sk <= *horizon);
        }
        let end = horizon.and_then(|place| activity::second_of(&place));
        keep_entries_at_the_end(&mut oldest, end);
        Ok(oldest)
    }
}

/// Each entry stays with the last of its executions alone; none of the second `end`, which may have more.
fn keep_entries_at_the_end(oldest: &mut [Recorded], end: Option<i64>) {
    let mut later = HashSet::new();
    for one in oldest.iter_mut().rev() {
        let is_whole = end.is_none() || activity::second_of(&one.execution.sk) < end;
        let entry = one.entry.take();
        one.entry = entry.filter(|entry| is_whole && later.insert(entry.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::store::Key;

    fn recorded(second: u32, id: &str) -> Recorded {
        let key = |pk: &str, sk| Key {
            pk: pk.to_owned(),
            sk,
        };
        let at = format!("2025-12-07T12:00:{second:02}+09:00");
        Recorded {
            execution: key("FN#f", format!("LOG#{at}#{id}")),
            entry: Some(key("ACTIVITY#w#0", format!("{second}#f"))),
        }
    }

    #[test]
    fn an_entry_stays_as_long_as_one_of_its_executions() {
        let goes_with = |end: Option<i64>| {
            let mut oldest = [
                recorded(1, "a"),
                recorded(1, "b"),
                recorded(2, "c"),
                recorded(3, "d"),
                recorded(3, "e"),
            ];
            keep_entries_at_the_end(&mut oldest, end);
            oldest.map(|one| one.entry.is_some())
        };
        assert_eq!(goes_with(None), [false, true, true, false, true]);
        let third = activity::second_of(&recorded(3, "d").execution.sk);
        assert_eq!(goes_with(third), [false, true, true, false, false]);
    }
}
