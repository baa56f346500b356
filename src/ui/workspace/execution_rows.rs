//! Executions over a workspace's functions, as rows.

use leptos::prelude::*;

use crate::model::execution::ExecutionSummary;
use crate::model::id::WorkspaceId;
use crate::ui::i18n::{number, time, use_i18n};
use crate::ui::widgets::relative_time::RelativeTime;
use crate::ui::widgets::status::{ExecutionBadge, StatusCode};
use crate::ui::widgets::table::TableWrap;

/// How a row tells when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLook {
    /// How long ago: a short list of what just happened.
    Relative,
    /// The exact time, with more columns: a log.
    Exact,
}

fn execution_href(workspace: &WorkspaceId, execution: &ExecutionSummary) -> String {
    format!(
        "/workspaces/{workspace}/functions/{}/executions?execution={}",
        execution.function_id, execution.id
    )
}

#[component]
pub fn ExecutionTable(
    workspace: WorkspaceId,
    executions: Vec<ExecutionSummary>,
    look: TimeLook,
) -> impl IntoView {
    let words = &use_i18n().logs;
    let exact = look == TimeLook::Exact;
    view! {
        <TableWrap>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">{if exact { words.time } else { use_i18n().workspace.when }}</th>
                        <th scope="col">{words.function}</th>
                        <th scope="col" class="col-dot">{words.status}</th>
                        <th scope="col">{words.code}</th>
                        <th scope="col" class="col-wide col-fill">{words.request}</th>
                        {exact.then(|| view! { <th scope="col" class="col-wide col-l">{words.trigger}</th> })}
                        <th scope="col" class="num">{words.duration}</th>
                        {exact.then(|| view! { <th scope="col" class="num col-wide">{words.size}</th> })}
                    </tr>
                </thead>
                <tbody>{executions.into_iter().map(|execution| view! { <ExecutionRow href=execution_href(&workspace, &execution) execution look/> }).collect_view()}</tbody>
            </table>
        </TableWrap>
    }
}

#[component]
fn ExecutionRow(href: String, execution: ExecutionSummary, look: TimeLook) -> impl IntoView {
    let exact = look == TimeLook::Exact;
    let at = execution.timestamp;
    let when = if exact {
        view! { <time datetime=at.to_string() title=time::exact(at)>{format!("{} {}", at.format("%m-%d"), time::clock(at))}</time> }.into_any()
    } else {
        view! { <RelativeTime at/> }.into_any()
    };
    view! {
        <tr>
            <td class="muted nowrap">{when}</td>
            <td><a class="table__name" href=href>{execution.function_name}</a></td>
            <td class="col-dot"><ExecutionBadge status=execution.status/></td>
            <td><StatusCode code=execution.status_code/></td>
            <td class="col-wide col-path mono second">{execution.method} " " {execution.path}</td>
            {exact.then(|| view! { <td class="col-wide col-l second">{execution.trigger.as_str()}</td> })}
            <td class="num">{number::milliseconds(execution.duration)}</td>
            {exact.then(|| view! { <td class="num col-wide">{number::bytes(execution.response_size)}</td> })}
        </tr>
    }
}
