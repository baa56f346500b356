//! `/workspaces/{ws}/logs`: the executions over all functions.

use leptos::prelude::*;
use std::time::Duration;

use super::{use_query, use_workspace_id, with_query, workspace_href};
use crate::api::observe::{WorkspaceLogs, workspace_logs};
use crate::model::execution::{ExecutionFilter, ExecutionStatus};
use crate::model::id::WorkspaceId;
use crate::ui::browser;
use crate::ui::frame::{BackLink, Page, PageHead};
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::LinkButton;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::load::Load;
use crate::ui::widgets::pagination::Older;
use crate::ui::widgets::tabs::{Segmented, Tab};
use crate::ui::workspace::execution_rows::{ExecutionTable, TimeLook};
use crate::ui::workspace::search_form::SearchForm;

const REFRESH: Duration = Duration::from_secs(5);
/// Rows on a page.
const LIMIT: u32 = 50;

/// The filters as the address says them; what cannot be meant is left out.
#[derive(Clone, Debug, Default, PartialEq)]
struct LogsAddress {
    path: String,
    q: String,
    status: Option<ExecutionStatus>,
    code: Option<u16>,
    cursor: String,
}

impl LogsAddress {
    fn href(&self) -> String {
        let code = self.code.map(|code| code.to_string()).unwrap_or_default();
        with_query(
            &self.path,
            &[
                ("q", &self.q),
                ("status", self.status.map_or("", status_word)),
                ("code", &code),
                ("cursor", &self.cursor),
            ],
        )
    }

    fn is_filtered(&self) -> bool {
        !self.q.is_empty() || self.status.is_some() || self.code.is_some()
    }

    fn filter(&self) -> ExecutionFilter {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ExecutionFilter {
            status: self.status,
            code: self.code,
            q: text(&self.q),
            cursor: text(&self.cursor),
            limit: Some(LIMIT),
            ..ExecutionFilter::default()
        }
    }
}

fn status_word(status: ExecutionStatus) -> &'static str {
    match status {
        ExecutionStatus::Success => "success",
        ExecutionStatus::Error => "error",
    }
}

#[component]
pub fn Logs() -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.logs;
    let workspace = use_workspace_id();
    let (q, status, code, cursor) = (
        use_query("q"),
        use_query("status"),
        use_query("code"),
        use_query("cursor"),
    );
    let address = Memo::new(move |_| LogsAddress {
        path: workspace_href(&workspace.get(), "/logs"),
        q: q.get().unwrap_or_default(),
        status: status.get().and_then(|word| {
            [ExecutionStatus::Success, ExecutionStatus::Error]
                .into_iter()
                .find(|status| status_word(*status) == word)
        }),
        code: code
            .get()
            .and_then(|code| code.parse().ok())
            .filter(|code| (100..600).contains(code)),
        cursor: cursor.get().unwrap_or_default(),
    });
    let logs = Resource::new(
        move || (workspace.get(), address.with(LogsAddress::filter)),
        |(workspace, filter)| async move {
            let workspace = workspace?;
            let logs = workspace_logs(workspace.clone(), filter).await?;
            Ok((workspace, logs))
        },
    );
    browser::use_interval(REFRESH, move || {
        // Older pages do not change.
        if address.with_untracked(|address| address.cursor.is_empty()) {
            logs.refetch();
        }
    });
    view! {
        <Page title=words.title.to_owned()>
            <BackLink href=Signal::derive(move || workspace_href(&workspace.get(), "")) label=i18n.frame.overview.to_owned()/>
            <PageHead title=words.title text=words.subtitle/>
            {move || view! { <Filters address=address.get()/> }}
            <Load resource=logs let:answer>
                <Rows workspace=answer.0 logs=answer.1 address=address.get_untracked()/>
            </Load>
        </Page>
    }
}

#[component]
fn Filters(address: LogsAddress) -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.logs;
    let choice = |label, status| Tab {
        href: LogsAddress {
            status,
            cursor: String::new(),
            ..address.clone()
        }
        .href(),
        label,
        current: address.status == status,
    };
    let options = vec![
        choice(words.all, None),
        choice(words.success, Some(ExecutionStatus::Success)),
        choice(words.error, Some(ExecutionStatus::Error)),
    ];
    let status = address
        .status
        .map(|status| view! { <input type="hidden" name="status" value=status_word(status)/> });
    let code = address
        .code
        .map(|code| code.to_string())
        .unwrap_or_default();
    view! {
        <SearchForm action=address.path label=words.search placeholder=words.search_placeholder submit=words.apply value=address.q>
            {status}
            <label class="input-group input-group--short">
                <span class="input-group__unit">{words.code}</span>
                <input class="input" type="number" name="code" min="100" max="599" value=code/>
            </label>
            <Segmented label=words.status options/>
        </SearchForm>
    }
}

#[component]
fn Rows(workspace: WorkspaceId, logs: WorkspaceLogs, address: LogsAddress) -> impl IntoView {
    let words = &use_i18n().logs;
    let first = LogsAddress {
        cursor: String::new(),
        ..address.clone()
    };
    if logs.executions.is_empty() {
        return if address.is_filtered() || !address.cursor.is_empty() {
            let all = LogsAddress {
                path: address.path,
                ..LogsAddress::default()
            };
            view! { <EmptyState title=words.nothing_found_title text=words.nothing_found_text><LinkButton href=all.href() label=words.clear/></EmptyState> }.into_any()
        } else {
            view! { <EmptyState title=words.empty_title text=words.empty_text/> }.into_any()
        };
    }
    let newest = (!address.cursor.is_empty()).then(|| first.href());
    let older = logs
        .next
        .map(|cursor| LogsAddress { cursor, ..address }.href());
    view! {
        <ExecutionTable workspace executions=logs.executions look=TimeLook::Exact/>
        <Older newest older/>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_filtered_page_names_every_filter() {
        let address = LogsAddress {
            path: "/workspaces/ws-1/logs".to_owned(),
            q: "a b".to_owned(),
            status: Some(ExecutionStatus::Error),
            code: Some(502),
            cursor: "x=".to_owned(),
        };
        assert_eq!(
            address.href(),
            "/workspaces/ws-1/logs?q=a%20b&status=error&code=502&cursor=x%3D"
        );
    }
}
