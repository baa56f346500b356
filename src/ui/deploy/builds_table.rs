//! The builds of a function.

use leptos::prelude::*;

use crate::model::task::{TaskStatus, TaskView};
use crate::ui::build::{task_name, task_seconds};
use crate::ui::i18n::{number, use_i18n};
use crate::ui::pages::function::{FunctionContext, FunctionTab};
use crate::ui::widgets::relative_time::RelativeTime;
use crate::ui::widgets::status::{StatusLook, TaskBadge};
use crate::ui::widgets::table::TableCard;

/// The builds, newest first.
#[component]
pub fn BuildTable(context: FunctionContext, tasks: Vec<TaskView>) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let empty = tasks.is_empty().then_some(words.history_empty);
    let rows = tasks
        .into_iter()
        .map(|task| view! { <BuildRow context task/> })
        .collect_view();
    view! {
        <TableCard title=words.history empty>
            <thead>
                <tr>
                    <th scope="col">{words.column_build}</th>
                    <th scope="col" class="col-fill">{words.column_result}</th>
                    <th scope="col" class="col-wide">{words.column_by}</th>
                    <th scope="col">{words.column_when}</th>
                    <th scope="col" class="num col-wide">{words.column_duration}</th>
                    <th scope="col"><span class="sr">{words.actions}</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableCard>
    }
}

#[component]
fn BuildRow(context: FunctionContext, task: TaskView) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let href = format!("{}?task={}", context.path(FunctionTab::Deploy), task.id);
    let duration =
        task_seconds(&task).map_or_else(|| use_i18n().widgets.none.to_owned(), number::span);
    let why = (task.status == TaskStatus::Failed)
        .then(|| failure_line(&task))
        .flatten();
    view! {
        <tr>
            <td class="mono"><a class="link" href=href.clone()>{task_name(&task)}</a></td>
            <td><TaskBadge status=task.status look=StatusLook::Bare/>{why.map(|why| view! { <span class="table__sub">{why}</span> })}</td>
            <td class="col-wide nowrap">{task.by}</td>
            <td class="muted nowrap"><RelativeTime at=task.created_at/></td>
            <td class="num col-wide">{duration}</td>
            <td class="num"><a class="button button--s button--ghost only-wide" href=href>{words.show_log}</a></td>
        </tr>
    }
}

/// The first line of what went wrong, and where.
fn failure_line(task: &TaskView) -> Option<String> {
    let line = match task.diagnostics.first() {
        Some(found) => found.to_string(),
        None => task.error.clone()?,
    };
    line.lines()
        .next()
        .map(|line| line.chars().take(160).collect())
}
