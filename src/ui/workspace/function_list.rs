//! The list of functions as its address says it.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use crate::model::error::Error;
use crate::model::function::{FunctionFilter, FunctionSort, FunctionStatus};
use crate::model::id::WorkspaceId;
use crate::ui::pages::{with_query, workspace_href};
use crate::ui::widgets::table::SortState;

const STATUSES: [FunctionStatus; 5] = [
    FunctionStatus::Active,
    FunctionStatus::Building,
    FunctionStatus::Deploying,
    FunctionStatus::Failed,
    FunctionStatus::Disabled,
];

const SORTS: [(FunctionSort, &str); 7] = [
    (FunctionSort::Name, "name"),
    (FunctionSort::Status, "status"),
    (FunctionSort::Invocations, "invocations"),
    (FunctionSort::ErrorRate, "error_rate"),
    (FunctionSort::Duration, "duration"),
    (FunctionSort::LastModified, "last_modified"),
    (FunctionSort::LastDeployed, "last_deployed"),
];

/// The list's address: a workspace, and what of its functions is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionList {
    pub workspace: Result<WorkspaceId, Error>,
    pub filter: FunctionFilter,
}

/// The list that the address shows.
pub fn use_function_list(workspace: Memo<Result<WorkspaceId, Error>>) -> Memo<FunctionList> {
    let query = use_query_map();
    Memo::new(move |_| FunctionList {
        workspace: workspace.get(),
        filter: query.with(filter_of),
    })
}

fn filter_of(query: &ParamsMap) -> FunctionFilter {
    let status = query
        .get("status")
        .and_then(|word| STATUSES.into_iter().find(|status| status.as_str() == word));
    let sort = query
        .get("sort")
        .and_then(|word| SORTS.into_iter().find(|(_, name)| *name == word));
    FunctionFilter {
        q: query
            .get("q")
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty()),
        status,
        sort: sort.map(|(sort, _)| sort).unwrap_or_default(),
        descending: query.get("order").as_deref() == Some("descending"),
        page: query
            .get("page")
            .and_then(|page| page.parse().ok())
            .filter(|page| *page > 1),
    }
}

impl FunctionList {
    /// The address of this list, with further fields in its query.
    pub fn href_with(&self, more: &[(&str, &str)]) -> String {
        let filter = &self.filter;
        let page = filter.page.map(|page| page.to_string()).unwrap_or_default();
        let mut fields = vec![
            ("q", filter.q.as_deref().unwrap_or_default()),
            ("status", filter.status.map_or("", FunctionStatus::as_str)),
            (
                "sort",
                if filter.sort == FunctionSort::default() {
                    ""
                } else {
                    sort_name(filter.sort)
                },
            ),
            ("order", if filter.descending { "descending" } else { "" }),
            ("page", page.as_str()),
        ];
        fields.extend_from_slice(more);
        with_query(&workspace_href(&self.workspace, "/functions"), &fields)
    }

    pub fn href(&self) -> String {
        self.href_with(&[])
    }

    /// The first page of the functions in this status.
    #[must_use]
    pub fn with_status(&self, status: Option<FunctionStatus>) -> Self {
        Self {
            filter: FunctionFilter {
                status,
                page: None,
                ..self.filter.clone()
            },
            ..self.clone()
        }
    }

    #[must_use]
    pub fn with_page(&self, page: u32) -> Self {
        Self {
            filter: FunctionFilter {
                page: Some(page).filter(|page| *page > 1),
                ..self.filter.clone()
            },
            ..self.clone()
        }
    }

    /// The first page sorted by a column: texts from a to z first, numbers and times from the greatest; the current one the other way round.
    #[must_use]
    pub fn sorted_by(&self, sort: FunctionSort) -> Self {
        let descending = if self.filter.sort == sort {
            !self.filter.descending
        } else {
            !matches!(sort, FunctionSort::Name | FunctionSort::Status)
        };
        Self {
            filter: FunctionFilter {
                sort,
                descending,
                page: None,
                ..self.filter.clone()
            },
            ..self.clone()
        }
    }

    /// Whether and how the list is sorted by a column.
    pub fn sort_state(&self, sort: FunctionSort) -> SortState {
        match (self.filter.sort == sort, self.filter.descending) {
            (false, _) => SortState::Unsorted,
            (true, false) => SortState::Ascending,
            (true, true) => SortState::Descending,
        }
    }

    /// Whether anything is left out.
    pub fn is_filtered(&self) -> bool {
        self.filter.q.is_some() || self.filter.status.is_some()
    }
}

fn sort_name(sort: FunctionSort) -> &'static str {
    SORTS
        .into_iter()
        .find(|(one, _)| *one == sort)
        .map_or("", |(_, name)| name)
}

/// What can be filtered by, `None` being all.
pub fn status_choices() -> impl Iterator<Item = Option<FunctionStatus>> {
    std::iter::once(None).chain(STATUSES.into_iter().map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(query: &[(&str, &str)]) -> FunctionList {
        let mut map = ParamsMap::new();
        for (name, value) in query {
            map.insert((*name).to_owned(), (*value).to_owned());
        }
        FunctionList {
            workspace: WorkspaceId::parse("ws-1"),
            filter: filter_of(&map),
        }
    }

    #[test]
    fn an_address_leads_back_to_the_same_list() {
        let query = [
            ("q", "pay ment"),
            ("status", "failed"),
            ("sort", "error_rate"),
            ("order", "descending"),
            ("page", "3"),
        ];
        assert_eq!(
            list(&query).href(),
            "/workspaces/ws-1/functions?q=pay%20ment&status=failed&sort=error_rate&order=descending&page=3"
        );
        assert_eq!(list(&[]).href(), "/workspaces/ws-1/functions");
    }

    #[test]
    fn what_an_address_cannot_mean_is_left_out() {
        let query = [
            ("q", "  "),
            ("status", "gone"),
            ("sort", "colour"),
            ("page", "-1"),
        ];
        assert_eq!(list(&query).filter, FunctionFilter::default());
    }

    #[test]
    fn pressing_the_current_column_turns_the_order_round() {
        let by_count = list(&[]).sorted_by(FunctionSort::Invocations);
        assert_eq!(
            by_count.sort_state(FunctionSort::Invocations),
            SortState::Descending
        );
        assert_eq!(
            by_count
                .sorted_by(FunctionSort::Invocations)
                .sort_state(FunctionSort::Invocations),
            SortState::Ascending
        );
        assert_eq!(
            by_count
                .sorted_by(FunctionSort::Name)
                .sort_state(FunctionSort::Name),
            SortState::Ascending
        );
    }

    #[test]
    fn another_filter_starts_at_the_first_page() {
        let deep = list(&[("page", "7")]);
        assert_eq!(
            deep.with_status(Some(FunctionStatus::Active)).filter.page,
            None
        );
        assert_eq!(deep.with_page(1).filter.page, None);
        assert_eq!(deep.with_page(8).filter.page, Some(8));
    }
}
