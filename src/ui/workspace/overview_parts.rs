//! The parts of a workspace's overview.

use leptos::prelude::*;

use crate::model::figures::Figures;
use crate::model::id::WorkspaceId;
use crate::model::task::TaskView;
use crate::model::workspace::WorkspaceOverview;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::relative_time::RelativeTime;
use crate::ui::widgets::stat::{Stat, Stats};
use crate::ui::widgets::track::Track;
use crate::ui::workspace::build_rows::task_href;

/// Five figures of the last 24 hours.
#[component]
pub fn OverviewStats(active: u64, disabled: u64, count: u64, figures: Figures) -> impl IntoView {
    let words = &use_i18n().workspace;
    let none = use_i18n().widgets.none;
    let called = figures.invocations > 0;
    let measured = move |value: String, unit: &'static str| {
        if called {
            (value, unit)
        } else {
            (none.to_owned(), "")
        }
    };
    let (rate, rate_unit) = measured(number::percent_value(figures.error_rate()), "%");
    let (average, average_unit) = measured(number::milliseconds_value(figures.average_ms), "ms");
    let (p95, p95_unit) = measured(number::milliseconds_value(figures.p95_ms), "ms");
    let p99 = if called {
        (words.p99)(&number::milliseconds(figures.p99_ms))
    } else {
        String::new()
    };
    view! {
        <Stats>
            <Stat label=words.functions value=number::count(count) note=(words.active_and_disabled)(&number::count(active), &number::count(disabled))/>
            <Stat label=words.invocations_24h value=number::count(figures.invocations)/>
            <Stat label=words.error_rate_24h value=rate unit=rate_unit note=(words.errors)(figures.errors, &number::count(figures.errors))/>
            <Stat label=words.average_duration value=average unit=average_unit note=words.weighted/>
            <Stat label=words.p95_duration value=p95 unit=p95_unit note=p99/>
        </Stats>
    }
}

/// The stats of a loaded overview.
pub fn stats_of(overview: &WorkspaceOverview) -> impl IntoView + use<> {
    view! {
        <OverviewStats
            active=overview.active_functions
            disabled=overview.disabled_functions
            count=overview.workspace.function_count
            figures=overview.figures
        />
    }
}

/// The newest builds, each with its five segments.
#[component]
pub fn RecentBuilds(workspace: WorkspaceId, builds: Vec<TaskView>) -> impl IntoView {
    let words = &use_i18n().workspace;
    let all = format!("/workspaces/{workspace}/builds");
    let list = if builds.is_empty() {
        view! { <p class="card__body muted">{words.no_builds}</p> }.into_any()
    } else {
        let rows = builds
            .into_iter()
            .map(|task| {
                let name = task.app_name.to_string();
                let name = match task_href(&task) {
                    Some(href) => view! { <a class="grow truncate" href=href>{name}</a> }.into_any(),
                    None => view! { <span class="grow truncate">{name}</span> }.into_any(),
                };
                view! { <li>{name}<Track stages=task.stages/><RelativeTime at=task.created_at/></li> }
            })
            .collect_view();
        view! { <ul class="list">{rows}</ul> }.into_any()
    };
    view! {
        <Card title=words.recent_builds end=move || view! { <a class="link" href=all>{words.all_builds}</a> }>
            {list}
        </Card>
    }
}
