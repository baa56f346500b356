//! A page of a workspace's functions, filtered and in order.

use super::{Functions, record::FunctionRecord};
use crate::model::error::Result;
use crate::model::figures::Figures;
use crate::model::function::{FunctionFilter, FunctionPage, FunctionRow, FunctionSort};
use crate::model::id::WorkspaceId;
use crate::service::actor::Actor;
use crate::service::statistics::{DAY, Scope};

const PAGE: usize = 50;

impl Functions {
    pub async fn list_page(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        filter: &FunctionFilter,
    ) -> Result<FunctionPage> {
        self.workspaces.record(workspace).await?;
        let records = self.records(workspace).await?;
        let all = records.len() as u64;
        let mut found = Vec::new();
        for record in records.into_iter().filter(|record| passes(record, filter)) {
            let figures = self.statistics.day(&Scope::function(&record.id)).await?;
            found.push((record, figures));
        }
        found.sort_by(|a, b| order(filter.sort, a, b));
        if filter.descending {
            found.reverse();
        }
        let total = found.len();
        let pages = total.div_ceil(PAGE).max(1);
        let page = (filter.page.unwrap_or(1).max(1) as usize).min(pages);
        let mut rows = Vec::new();
        for (record, figures) in found.into_iter().skip((page - 1) * PAGE).take(PAGE) {
            let series = self
                .statistics
                .series(&Scope::function(&record.id), DAY, 3_600)
                .await?;
            rows.push(FunctionRow {
                function: record.view(&figures, None),
                series,
            });
        }
        Ok(FunctionPage {
            rows,
            total: total as u64,
            all,
            page: page as u32,
            pages: pages as u32,
        })
    }
}

fn passes(record: &FunctionRecord, filter: &FunctionFilter) -> bool {
    let text = filter
        .q
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let described = record
        .description
        .as_ref()
        .is_some_and(|description| description.as_str().to_lowercase().contains(&text));
    let named = text.is_empty() || described || record.name.as_str().to_lowercase().contains(&text);
    named && filter.status.is_none_or(|status| record.status() == status)
}

fn order(
    sort: FunctionSort,
    (a, a_figures): &(FunctionRecord, Figures),
    (b, b_figures): &(FunctionRecord, Figures),
) -> std::cmp::Ordering {
    let primary = match sort {
        FunctionSort::Name => std::cmp::Ordering::Equal,
        FunctionSort::Status => a.status().as_str().cmp(b.status().as_str()),
        FunctionSort::Invocations => a_figures.invocations.cmp(&b_figures.invocations),
        FunctionSort::ErrorRate => a_figures.error_rate().total_cmp(&b_figures.error_rate()),
        FunctionSort::Duration => a_figures.average_ms.total_cmp(&b_figures.average_ms),
        FunctionSort::LastModified => a.last_modified.cmp(&b.last_modified),
        FunctionSort::LastDeployed => a.last_deployed.cmp(&b.last_deployed),
    };
    primary
        .then_with(|| {
            a.name
                .as_str()
                .to_lowercase()
                .cmp(&b.name.as_str().to_lowercase())
        })
        .then_with(|| a.id.cmp(&b.id))
}
