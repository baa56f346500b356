//! Builds as rows.

use leptos::prelude::*;

use crate::model::task::TaskView;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::relative_time::{RelativeTime, use_now};
use crate::ui::widgets::status::{StatusLook, TaskBadge};
use crate::ui::widgets::table::TableWrap;
use crate::ui::widgets::track::Track;

/// Where a build is seen with its output; a build that belongs to no function has no such place.
pub fn task_href(task: &TaskView) -> Option<String> {
    task.function_id.as_ref().map(|function| {
        format!(
            "/workspaces/{}/functions/{function}/deploy?task={}",
            task.workspace_id, task.id
        )
    })
}

#[component]
pub fn BuildTable(tasks: Vec<TaskView>) -> impl IntoView {
    let words = &use_i18n().builds;
    view! {
        <TableWrap>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col" class="col-main">{words.function}</th>
                        <th scope="col">{words.status}</th>
                        <th scope="col" class="col-wide">{words.stages}</th>
                        <th scope="col" class="col-wide col-l">{words.version}</th>
                        <th scope="col" class="col-wide col-l">{words.by}</th>
                        <th scope="col">{words.started}</th>
                        <th scope="col" class="num col-wide">{words.duration}</th>
                    </tr>
                </thead>
                <tbody>{tasks.into_iter().map(|task| view! { <BuildRow task/> }).collect_view()}</tbody>
            </table>
        </TableWrap>
    }
}

#[component]
fn BuildRow(task: TaskView) -> impl IntoView {
    let none = use_i18n().widgets.none;
    let name = task.app_name.to_string();
    let name = match task_href(&task) {
        Some(href) => view! { <a class="table__name" href=href>{name}</a> }.into_any(),
        None => view! { <span class="table__name">{name}</span> }.into_any(),
    };
    let error = task.error.as_ref().map(|error| view! { <span class="table__sub truncate bad">{error.lines().next().unwrap_or_default().to_owned()}</span> });
    let (created, ended) = (task.created_at, task.updated_at);
    let now = use_now();
    let running = !task.status.is_terminal();
    // A running build's time is known only with the browser's clock.
    let duration = move || {
        let until = if running { now.get() } else { Some(ended) };
        until.map_or_else(
            || none.to_owned(),
            |until| number::span((until.micros() - created.micros()) as f64 / 1e6),
        )
    };
    view! {
        <tr>
            <td class="col-main"><div>{name}{error}</div></td>
            <td><TaskBadge status=task.status look=StatusLook::Pill/></td>
            <td class="col-wide"><Track stages=task.stages/></td>
            <td class="col-wide col-l second nowrap">{task.version.map_or_else(|| none.to_owned(), |version| format!("v{version}"))}</td>
            <td class="col-wide col-l second nowrap">{task.by}</td>
            <td class="muted nowrap"><RelativeTime at=created/></td>
            <td class="num col-wide">{duration}</td>
        </tr>
    }
}
