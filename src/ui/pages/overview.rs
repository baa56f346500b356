//! `/workspaces/{ws}`: how a workspace has been doing for 24 hours.

use leptos::prelude::*;
use std::time::Duration;

use super::use_workspace_id;
use crate::api::workspaces::workspace_overview;
use crate::model::workspace::WorkspaceOverview;
use crate::ui::browser;
use crate::ui::frame::{BackLink, Page, PageHead};
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{LinkButton, Weight};
use crate::ui::widgets::chart::InvocationsChart;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::icon::Glyph;
use crate::ui::widgets::load::Load;
use crate::ui::widgets::skeleton::{SkeletonCard, SkeletonStats};
use crate::ui::widgets::status::LiveBadge;
use crate::ui::workspace::execution_rows::{ExecutionTable, TimeLook};
use crate::ui::workspace::overview_parts::{RecentBuilds, stats_of};

const REFRESH: Duration = Duration::from_secs(5);

#[component]
pub fn Overview() -> impl IntoView {
    let words = &use_i18n().frame;
    let workspace = use_workspace_id();
    // Blocking, so that the name is in the document's title.
    let overview = Resource::new_blocking(
        move || workspace.get(),
        |workspace| async move { workspace_overview(workspace?).await },
    );
    browser::use_interval(REFRESH, move || overview.refetch());
    let name = RwSignal::new(words.overview.to_owned());
    view! {
        <Page title=name>
            <BackLink href="/".to_owned() label=words.workspaces.to_owned()/>
            <Load resource=overview fallback=|| view! { <SkeletonStats/><SkeletonCard lines=9/> } let:overview>
                {
                    name.set(overview.workspace.name.to_string());
                    view! { <Loaded overview/> }
                }
            </Load>
        </Page>
    }
}

#[component]
fn Loaded(overview: WorkspaceOverview) -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.workspace;
    let stats = stats_of(&overview);
    let WorkspaceOverview {
        workspace,
        series,
        executions,
        builds,
        ..
    } = overview;
    let id = workspace.id;
    let all = format!("/workspaces/{id}/logs");
    let create = format!("/workspaces/{id}/functions/new");
    let activity = if executions.is_empty() {
        view! { <EmptyState title=words.no_executions_title text=words.no_executions_text/> }
            .into_any()
    } else {
        view! { <ExecutionTable workspace=id.clone() executions look=TimeLook::Relative/> }
            .into_any()
    };
    view! {
        <PageHead title=workspace.name.to_string() text=workspace.description.map(|text| text.to_string()).unwrap_or_default()>
            <LinkButton href=create label=i18n.functions.create weight=Weight::Primary glyph=Glyph::Plus/>
        </PageHead>
        {stats}
        <div class="split split--side split--even">
            <section class="card">
                <div class="card__header"><h2>{words.invocations_and_errors}</h2></div>
                <div class="card__body"><InvocationsChart series/></div>
            </section>
            <RecentBuilds workspace=id builds/>
        </div>
        <section class="card">
            <div class="card__header">
                <div class="row"><h2>{words.recent_activity}</h2><LiveBadge/></div>
                <a class="link" href=all>{words.all_executions}</a>
            </div>
            {activity}
        </section>
    }
}
