//! Pages of executions, newest first, of a function or over a workspace.

use futures::stream::{StreamExt as _, TryStreamExt as _};
use std::collections::HashMap;

use super::Executions;
use super::activity::{self, Activity};
use crate::model::error::{Error, Result};
use crate::model::execution::{Execution, ExecutionFilter, ExecutionPage, ExecutionSummary};
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::workspace::Name;
use crate::port::keys::{self, EXECUTION_PREFIX};
use crate::port::store::{Query, SortRange};
use crate::service::actor::Actor;
use crate::service::kept::Stamp;
use crate::service::paging::{self, Found, MAX_READ, read_rows};
use crate::service::table::from_item;

/// Of each function so many items are read for a workspace's page, however many functions were called.
const LEAST_READ: usize = 200;
/// Most entries of one stretch.
const LONGEST_STRETCH: usize = 64;
/// Partitions read at the same time for a workspace's page.
const READERS: usize = 8;
/// Of so many functions each is asked at once: the activity has more partitions.
const FEW: f64 = 16.0;

/// With the sort key without what all have.
fn encode_cursor(list: &str, sort_key: &str) -> String {
    let place = sort_key.strip_prefix(EXECUTION_PREFIX).unwrap_or(sort_key);
    paging::encode_cursor(list, place)
}

fn decode_cursor(list: &str, cursor: Option<&str>) -> Result<Option<String>> {
    let place = cursor.map(|cursor| paging::decode_cursor(list, cursor));
    let place = place.transpose()?;
    Ok(place.map(|place| format!("{EXECUTION_PREFIX}{place}")))
}

fn query(function: &FunctionId, filter: &ExecutionFilter, after: Option<String>) -> Query {
    let from = filter.from.map_or_else(
        || EXECUTION_PREFIX.to_owned(),
        |from| format!("{EXECUTION_PREFIX}{}", from.sort_key()),
    );
    let to = filter.to.map_or_else(
        || format!("{EXECUTION_PREFIX}~"),
        |to| format!("{EXECUTION_PREFIX}{}~", to.sort_key()),
    );
    Query {
        pk: keys::function_partition(function),
        range: SortRange::Between(from, to),
        forward: false,
        limit: 100,
        after,
    }
}

fn passes(execution: &Execution, filter: &ExecutionFilter) -> bool {
    let text = filter
        .q
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let holds = |value: &str| value.to_lowercase().contains(&text);
    let body_holds = |body: &Option<serde_json::Value>| {
        body.as_ref().is_some_and(|body| holds(&body.to_string()))
    };
    filter
        .status
        .is_none_or(|status| execution.status == status)
        && filter.code.is_none_or(|code| execution.status_code == code)
        && filter.trigger.map_or_else(
            || !execution.trigger.is_aside(),
            |trigger| execution.trigger == trigger,
        )
        && (text.is_empty()
            || holds(&execution.path)
            || execution.logs.iter().any(|line| holds(line))
            || body_holds(&execution.request_body)
            || body_holds(&execution.response_body)
            || execution.error.as_deref().is_some_and(holds))
}

impl Executions {
    async fn rows(
        &self,
        function: &FunctionId,
        filter: &ExecutionFilter,
        after: Option<String>,
        limit: usize,
        most: usize,
    ) -> Result<Found<Execution>> {
        let query = vec![query(function, filter, after)];
        read_rows(&self.table, query, limit, most, |execution| {
            passes(execution, filter)
        })
        .await
    }

    /// One of the first system, whose id does not tell its time: looked for among the newest 5,000.
    pub(super) async fn find(
        &self,
        function: &FunctionId,
        id: &ExecutionId,
    ) -> Result<Option<Execution>> {
        let mut query = query(function, &ExecutionFilter::default(), None);
        let mut read = 0;
        loop {
            let page = self.table.page(&query).await?;
            read += page.items.len();
            let mut executions = page
                .items
                .into_iter()
                .filter_map(|(key, item)| from_item::<Execution>(&key, item).ok());
            if let Some(found) = executions.find(|execution| execution.id == *id) {
                return Ok(Some(found));
            }
            if page.next.is_none() || read >= MAX_READ {
                return Ok(None);
            }
            query.after = page.next;
        }
    }

    /// What [`Self::list`] is made of.
    pub fn list_stamp(&self, workspace: &WorkspaceId, function: &FunctionId) -> Option<Stamp> {
        let functions = self.table.version(&keys::workspace_partition(workspace))?;
        let executions = self.table.version(&keys::function_partition(function))?;
        Some(Stamp([functions, executions, 0, 0]))
    }

    /// What [`Self::list_workspace`] is made of.
    pub fn list_workspace_stamp(&self, workspace: &WorkspaceId) -> Option<Stamp> {
        let functions = self.table.version(&keys::workspace_partition(workspace))?;
        let activity = activity::version(&self.table, workspace)?;
        Some(Stamp([functions, activity, 0, 0]))
    }

    /// Seconds that a call of this function may take, or of any of the workspace.
    pub async fn longest_call(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        function: Option<&FunctionId>,
    ) -> Result<u32> {
        if let Some(function) = function {
            let record = self.functions.record(workspace, function).await?;
            return Ok(record.timeout.seconds());
        }
        let functions = self.functions.directory(workspace).await?;
        let longest = functions.iter().map(|function| function.timeout.seconds());
        Ok(longest.max().unwrap_or_default())
    }

    /// `limit` is 1–1000, 100 when absent.
    pub async fn list(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
        filter: &ExecutionFilter,
    ) -> Result<ExecutionPage> {
        self.functions.record(workspace, function).await?;
        let limit = check_limit(filter.limit, 100, 1_000)?;
        let list = format!("{function}/executions");
        let after = decode_cursor(&list, filter.cursor.as_deref())?;
        let page = self.rows(function, filter, after, limit, MAX_READ).await?;
        let rows = page.rows.into_iter();
        Ok(ExecutionPage {
            executions: rows.map(|(_, execution)| execution).collect(),
            next: page.next.map(|key| encode_cursor(&list, &key)),
        })
    }

    /// Over a workspace's functions; `limit` is 1–500, 50 when absent.
    pub async fn list_workspace(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        filter: &ExecutionFilter,
    ) -> Result<ExecutionPage> {
        let (rows, next) = self.rows_of_workspace(workspace, filter).await?;
        Ok(ExecutionPage {
            executions: rows.into_iter().map(|(_, execution)| execution).collect(),
            next,
        })
    }

    pub async fn list_workspace_summaries(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        filter: &ExecutionFilter,
    ) -> Result<(Vec<ExecutionSummary>, Option<String>)> {
        let (rows, next) = self.rows_of_workspace(workspace, filter).await?;
        let rows = rows
            .into_iter()
            .map(|(name, execution)| summary(name.to_string(), execution))
            .collect();
        Ok((rows, next))
    }

    /// Asks the functions that were called, stretch by stretch.
    async fn rows_of_workspace(
        &self,
        workspace: &WorkspaceId,
        filter: &ExecutionFilter,
    ) -> Result<(Vec<(Name, Execution)>, Option<String>)> {
        let limit = check_limit(filter.limit, 50, 500)?;
        let list = format!("{workspace}/executions of all");
        let mut after = decode_cursor(&list, filter.cursor.as_deref())?;
        let record = self.workspaces.record(workspace).await?;
        let since = if record.function_count <= FEW {
            activity::END
        } else {
            self.workspaces.activity_since(&record).await?
        };
        let newest = after.as_deref().and_then(activity::second_of);
        let newest = newest.into_iter().chain(filter.to.map(Timestamp::seconds));
        let newest = newest.min().unwrap_or(activity::END - 1);
        let seconds = filter.from.map_or(0, Timestamp::seconds)..=newest;
        let mut activity = Activity::read(&self.table, workspace, seconds, since).await?;
        let (mut rows, mut read) = (Vec::new(), 0);
        let mut entries = limit + 1;
        while let Some(stretch) = activity.stretch(entries).await? {
            let begin = Timestamp::from_seconds(stretch.first_second);
            let end = Timestamp::from_micros(stretch.end * 1_000_000 - 1);
            let within = ExecutionFilter {
                from: filter.from.max(Some(begin)),
                to: Some(filter.to.map_or(end, |to| to.min(end))),
                ..filter.clone()
            };
            let functions = self.functions.names(workspace, stretch.functions).await?;
            let left = limit - rows.len();
            let part = self
                .merge(functions, &within, after.as_deref(), left)
                .await?;
            // An entry stands for one execution or many, or for none any more.
            read += part.read.max(stretch.entries);
            rows.extend(part.rows.into_iter().map(|(_, row)| row));
            if let Some(next) = part.next {
                return Ok((rows, Some(encode_cursor(&list, &next))));
            }
            let place = format!("{EXECUTION_PREFIX}{}", begin.sort_key());
            if rows.len() == limit || read >= MAX_READ {
                let more = !activity.is_over().await?;
                return Ok((rows, more.then(|| encode_cursor(&list, &place))));
            }
            after = Some(place);
            // Where few pass, many stretches of few entries would be a long way.
            entries = entries
                .saturating_mul(2)
                .clamp(limit - rows.len() + 1, LONGEST_STRETCH.max(limit + 1));
        }
        Ok((rows, None))
    }

    /// The newest of these functions together.
    async fn merge(
        &self,
        functions: HashMap<FunctionId, Name>,
        filter: &ExecutionFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Found<(Name, Execution)>> {
        let most = (MAX_READ / functions.len().max(1)).max(limit + 1);
        let most = most.max(LEAST_READ);
        let pages: Vec<(Name, Found<Execution>)> = futures::stream::iter(functions)
            .map(|(id, name)| {
                let after = after.map(str::to_owned);
                async move {
                    let rows = self.rows(&id, filter, after, limit, most).await?;
                    Ok::<_, Error>((name, rows))
                }
            })
            .buffered(READERS)
            .try_collect()
            .await?;
        // Beyond where an unfinished partition was read to, order over all of them is not known yet.
        let horizon = pages.iter().filter_map(|(_, page)| page.next.clone()).max();
        let read = pages.iter().map(|(_, page)| page.read).sum();
        let mut rows = Vec::new();
        for (name, page) in pages {
            let named = |(key, execution)| (key, (name.clone(), execution));
            rows.extend(page.rows.into_iter().map(named));
        }
        rows.sort_by(|(a, _), (b, _)| b.cmp(a));
        if let Some(horizon) = &horizon {
            rows.retain(|(key, _)| key >= horizon);
        }
        let is_cut = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|(key, _)| key.clone());
        let next = if is_cut { last } else { horizon };
        Ok(Found { rows, next, read })
    }

    /// When a function was last called, if it ever was.
    pub async fn last(&self, function: &FunctionId) -> Result<Option<Timestamp>> {
        Ok(self
            .rows(function, &ExecutionFilter::default(), None, 1, MAX_READ)
            .await?
            .rows
            .first()
            .map(|(_, execution)| execution.timestamp))
    }
}

fn check_limit(limit: Option<u32>, default: usize, max: usize) -> Result<usize> {
    match limit {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&(limit as usize)) => Ok(limit as usize),
        Some(_) => Err(Error::validation(
            "limit",
            format!("Choose a limit between 1 and {max}."),
        )),
    }
}

fn summary(function_name: String, execution: Execution) -> ExecutionSummary {
    ExecutionSummary {
        id: execution.id,
        function_id: execution.function_id,
        function_name,
        timestamp: execution.timestamp,
        status: execution.status,
        status_code: execution.status_code,
        trigger: execution.trigger,
        method: execution.method,
        path: execution.path,
        duration: execution.duration,
        response_size: execution.response_size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_its_sort_key(text in "[ -~]{1,100}") {
            let key = format!("{EXECUTION_PREFIX}{text}");
            prop_assume!(!text.starts_with(EXECUTION_PREFIX));
            let cursor = encode_cursor("list", &key);
            prop_assert_eq!(decode_cursor("list", Some(&cursor)).expect("ours"), Some(key));
        }

        #[test]
        fn any_cursor_is_read_or_refused_by_its_name(cursor in "\\PC{0,60}") {
            if let Err(error) = decode_cursor("list", Some(&cursor)) {
                prop_assert_eq!(error.field.as_deref(), Some("cursor"));
            }
        }
    }
}
