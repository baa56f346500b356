//! `/workspaces/{ws}/builds`: the builds over all functions.

use leptos::prelude::*;
use std::time::Duration;

use super::{use_query, use_workspace_id, with_query, workspace_href};
use crate::api::builds::list_builds;
use crate::model::task::{TaskStatus, TaskView};
use crate::ui::browser;
use crate::ui::frame::{BackLink, Page, PageHead};
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::LinkButton;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::load::Load;
use crate::ui::widgets::tabs::{Segmented, Tab};
use crate::ui::workspace::build_rows::BuildTable;

const REFRESH: Duration = Duration::from_secs(3);
/// How many builds the server answers at most.
const NEWEST: usize = 100;

#[component]
pub fn Builds() -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.builds;
    let workspace = use_workspace_id();
    let state = use_query("state");
    let status = Memo::new(move |_| state.get().and_then(|word| TaskStatus::parse(&word).ok()));
    let builds = Resource::new(
        move || (workspace.get(), status.get()),
        |(workspace, status)| async move { list_builds(workspace?, status).await },
    );
    browser::use_interval(REFRESH, move || builds.refetch());
    let path = Memo::new(move |_| workspace_href(&workspace.get(), "/builds"));
    let choices = move || {
        let choice = |label: &'static str, choice: Option<TaskStatus>| Tab {
            href: with_query(
                &path.get(),
                &[("state", choice.map_or("", TaskStatus::as_str))],
            ),
            label,
            current: status.get() == choice,
        };
        let options = vec![
            choice(words.all, None),
            choice(i18n.widgets.pending, Some(TaskStatus::Pending)),
            choice(words.in_progress, Some(TaskStatus::Building)),
            choice(words.done, Some(TaskStatus::Done)),
            choice(words.failed, Some(TaskStatus::Failed)),
            choice(words.cancelled, Some(TaskStatus::Cancelled)),
        ];
        view! { <Segmented label=words.state options/> }
    };
    view! {
        <Page title=words.title.to_owned()>
            <BackLink href=Signal::derive(move || workspace_href(&workspace.get(), "")) label=i18n.frame.overview.to_owned()/>
            <PageHead title=words.title/>
            <div class="toolbar">{choices}</div>
            <Load resource=builds let:builds>
                <Rows builds filtered=status.get_untracked().is_some() all=path.get_untracked()/>
            </Load>
        </Page>
    }
}

#[component]
fn Rows(builds: Vec<TaskView>, filtered: bool, all: String) -> impl IntoView {
    let words = &use_i18n().builds;
    match (builds.is_empty(), filtered) {
        (true, true) => {
            view! { <EmptyState title=words.nothing_found_title text=words.nothing_found_text><LinkButton href=all label=words.show_all/></EmptyState> }.into_any()
        }
        (true, false) => view! { <EmptyState title=words.empty_title text=words.empty_text/> }.into_any(),
        (false, _) => {
            let more = (builds.len() >= NEWEST).then(|| view! { <p class="muted">{words.newest_100}</p> });
            view! { <BuildTable tasks=builds/>{more} }.into_any()
        }
    }
}
