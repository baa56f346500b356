//! A page of a workspace's functions, filtered and in order.

use futures::stream::{StreamExt as _, TryStreamExt as _};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Functions, record::FunctionRecord};
use crate::model::error::{ErrorKind, Result};
use crate::model::figures::Figures;
use crate::model::function::{
    FunctionFilter, FunctionPage, FunctionRow, FunctionSort, FunctionStatus,
};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::workspace::Name;
use crate::port::keys;
use crate::service::actor::Actor;
use crate::service::kept::Stamp;
use crate::service::statistics::{DAY, Scope};

const PAGE: usize = 50;
/// Records read at the same time.
const READERS: usize = 8;
/// Functions of a workspace whose records are kept, at most; a kilobyte each.
const MOST_KEPT: usize = 20_000;

/// All functions of a workspace without their code, by name.
pub(in crate::service) struct Directory {
    records: Vec<FunctionRecord>,
    by_id: HashMap<FunctionId, usize>,
}

impl Directory {
    fn new(mut records: Vec<FunctionRecord>) -> Self {
        for record in &mut records {
            record.code = None;
        }
        records
            .sort_by_cached_key(|record| (record.name.as_str().to_lowercase(), record.id.clone()));
        let ids = records.iter().map(|record| record.id.clone());
        let by_id = ids.zip(0..).collect();
        Self { records, by_id }
    }

    fn name(&self, id: &FunctionId) -> Option<&Name> {
        let record = self.records.get(*self.by_id.get(id)?)?;
        Some(&record.name)
    }
}

impl std::ops::Deref for Directory {
    type Target = [FunctionRecord];

    fn deref(&self) -> &Self::Target {
        &self.records
    }
}

impl Functions {
    pub async fn list_page(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        filter: &FunctionFilter,
    ) -> Result<FunctionPage> {
        self.workspaces.record(workspace).await?;
        let records = self.directory(workspace).await?;
        let text = filter.q.as_deref().unwrap_or_default();
        let text = text.trim().to_lowercase();
        let mut found: Vec<&FunctionRecord> = records
            .iter()
            .filter(|record| passes(record, filter.status, &text))
            .collect();
        if needs_figures(filter.sort) {
            let mut figures = HashMap::with_capacity(found.len());
            for record in &found {
                let day = self.statistics.day(&Scope::function(&record.id)).await?;
                figures.insert(&record.id, day);
            }
            found.sort_by(|a, b| order_by_figures(filter.sort, &figures[&a.id], &figures[&b.id]));
        } else {
            found.sort_by(|a, b| order(filter.sort, a, b));
        }
        if filter.descending {
            found.reverse();
        }
        let total = found.len();
        let pages = total.div_ceil(PAGE).max(1);
        let page = (filter.page.unwrap_or(1).max(1) as usize).min(pages);
        let mut rows = Vec::new();
        for record in found.into_iter().skip((page - 1) * PAGE).take(PAGE) {
            let scope = Scope::function(&record.id);
            let series = self.statistics.series(&scope, DAY, 3_600).await?;
            let figures = self.statistics.day(&scope).await?;
            let function = record.clone().view(&figures, None);
            rows.push(FunctionRow { function, series });
        }
        Ok(FunctionPage {
            rows,
            total: total as u64,
            all: records.len() as u64,
            page: page as u32,
            pages: pages as u32,
        })
    }

    /// Kept until something in the workspace changes.
    pub(in crate::service) async fn directory(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Arc<Directory>> {
        let stamp = self.table.version(&keys::workspace_partition(workspace));
        let stamp = stamp.map(|version| Stamp([version, 0, 0, 0]));
        let read = async {
            let records = self.records(workspace).await?;
            Ok(Arc::new(Directory::new(records)))
        };
        let is_small = |directory: &Arc<Directory>| directory.len() <= MOST_KEPT;
        self.directories
            .get(workspace.as_str(), stamp, read, is_small)
            .await
    }

    /// Names of a workspace's functions, of these or of all.
    pub(in crate::service) async fn names(
        &self,
        workspace: &WorkspaceId,
        ids: Option<BTreeSet<FunctionId>>,
    ) -> Result<HashMap<FunctionId, Name>> {
        let ids = match ids {
            Some(ids) if !self.table.is_exclusive() => ids,
            asked => {
                let all = self.directory(workspace).await?;
                let Some(ids) = asked else {
                    let named = all.iter();
                    let named = named.map(|record| (record.id.clone(), record.name.clone()));
                    return Ok(named.collect());
                };
                let named = ids.into_iter().filter_map(|id| {
                    let name = all.name(&id)?.clone();
                    Some((id, name))
                });
                return Ok(named.collect());
            }
        };
        let records = futures::stream::iter(ids)
            .map(async |id| self.record(workspace, &id).await)
            .buffered(READERS);
        let named = records.filter_map(async |record| match record {
            Ok(record) => Some(Ok((record.id, record.name))),
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => Some(Err(error)),
        });
        named.try_collect().await
    }
}

/// `text` is in small letters.
fn passes(record: &FunctionRecord, status: Option<FunctionStatus>, text: &str) -> bool {
    let holds = |value: &str| value.to_lowercase().contains(text);
    let described = || {
        let description = record.description.as_ref();
        description.is_some_and(|description| holds(description.as_str()))
    };
    let named = text.is_empty() || holds(record.name.as_str()) || described();
    named && status.is_none_or(|status| record.status() == status)
}

fn needs_figures(sort: FunctionSort) -> bool {
    matches!(
        sort,
        FunctionSort::Invocations | FunctionSort::ErrorRate | FunctionSort::Duration
    )
}

fn order_by_figures(sort: FunctionSort, a: &Figures, b: &Figures) -> Ordering {
    match sort {
        FunctionSort::Invocations => a.invocations.cmp(&b.invocations),
        FunctionSort::ErrorRate => a.error_rate().total_cmp(&b.error_rate()),
        _ => a.average_ms.total_cmp(&b.average_ms),
    }
}

/// Those that are alike stay in the order of their names, which they come in.
fn order(sort: FunctionSort, a: &FunctionRecord, b: &FunctionRecord) -> Ordering {
    match sort {
        FunctionSort::Status => a.status().as_str().cmp(b.status().as_str()),
        FunctionSort::LastModified => a.last_modified.cmp(&b.last_modified),
        FunctionSort::LastDeployed => a.last_deployed.cmp(&b.last_deployed),
        _ => Ordering::Equal,
    }
}
