//! The list of executions. An opened row is a second row under it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

use super::execution::ExecutionDetail;
use super::filter::FilterFields;
use crate::api::observe::list_executions;
use crate::model::error::Error;
use crate::model::execution::{Execution, ExecutionPage};
use crate::model::id::ExecutionId;
use crate::ui::browser;
use crate::ui::i18n::{number, time, use_i18n};
use crate::ui::pages::function::FunctionContext;
use crate::ui::test::replay::Replays;
use crate::ui::widgets::load::Load;
use crate::ui::widgets::pagination::Pagination;
use crate::ui::widgets::status::{ExecutionBadge, StatusCode};

const POLL: Duration = Duration::from_secs(3);
const COLUMNS: &str = "7";

/// Asks for the first page again and again; other pages do not change.
fn follow(context: FunctionContext, fields: FilterFields, page: RwSignal<ExecutionPage>) {
    if !fields.cursor.is_empty() {
        return;
    }
    let asking = StoredValue::new(false);
    browser::use_interval(POLL, move || {
        if asking.get_value() {
            return;
        }
        asking.set_value(true);
        let filter = fields.filter();
        spawn_local(async move {
            let answer = list_executions(context.workspace(), context.function(), filter).await;
            // The page may have been left meanwhile.
            if asking.try_set_value(false).is_none()
                && let Ok(newer) = answer
                && page.with_untracked(|known| *known != newer)
            {
                page.set(newer);
            }
        });
    });
}

/// The execution that the address names, and what opening one needs.
#[derive(Clone, Copy)]
pub struct Opened {
    pub id: Memo<Option<ExecutionId>>,
    /// The page of the list may not hold it.
    pub execution: Resource<Result<Option<Execution>, Error>>,
    pub replays: Replays,
}

#[component]
pub fn ExecutionTable(
    context: FunctionContext,
    path: String,
    fields: FilterFields,
    initial: ExecutionPage,
    opened: Opened,
) -> impl IntoView {
    let words = &use_i18n().function.executions;
    let page = RwSignal::new(initial);
    follow(context, fields.clone(), page);
    let address = StoredValue::new((path, fields));
    let missing = Memo::new(move |_| {
        opened
            .id
            .get()
            .filter(|open| page.with(|page| page.executions.iter().all(|one| one.id != *open)))
    });
    let pages = move || {
        let (count, next) = page.with(|page| (page.executions.len(), page.next.clone()));
        address.with_value(|(path, fields)| {
            let next = next.map(|cursor| fields.with_cursor(&cursor).href(path));
            let newest = (!fields.cursor.is_empty()).then(|| fields.with_cursor("").href(path));
            view! { <Pagination summary=(words.count)(count) previous=newest next/> }
        })
    };
    view! {
        <Elsewhere context missing opened/>
        <div class="table-wrap">
            <table class="table">
                <caption class="sr">{words.table_label}</caption>
                <thead>
                    <tr>
                        <th scope="col" aria-sort="descending">{words.column_time} " " <span class="only-wide">{words.offset}</span></th>
                        <th scope="col" class="col-dot">{words.column_status}</th>
                        <th scope="col">{words.code}</th>
                        <th scope="col" class="col-fill">{words.column_request}</th>
                        <th scope="col" class="num">{words.column_duration}</th>
                        <th scope="col" class="num col-wide">{words.column_size}</th>
                        <th scope="col" class="col-wide">{words.column_version}</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || page.with(|page| page.executions.clone()) key=|execution| execution.id.clone() let:execution>
                        <ExecutionRow context address execution opened/>
                    </For>
                </tbody>
            </table>
        </div>
        {pages}
    }
}

#[component]
fn ExecutionRow(
    context: FunctionContext,
    address: StoredValue<(String, FilterFields)>,
    execution: Execution,
    opened: Opened,
) -> impl IntoView {
    let words = &use_i18n().function.executions;
    let id = execution.id.clone();
    let is_open = Memo::new(move |_| opened.id.with(|open| open.as_ref() == Some(&id)));
    let clock = time::clock(execution.timestamp);
    let (own, label) = (execution.id.clone(), clock.clone());
    let href = move || {
        address.with_value(|(path, fields)| {
            fields.href_opening(path, (!is_open.get()).then_some(own.as_str()))
        })
    };
    let label = move || {
        if is_open.get() {
            (words.close)(&label)
        } else {
            (words.open)(&label)
        }
    };
    let version = execution.version.map_or_else(
        || use_i18n().widgets.none.to_owned(),
        |version| format!("v{version}"),
    );
    let detail = StoredValue::new(execution.clone());
    view! {
        <tr class=move || is_open.get().then_some("table__row--open")>
            <td class="mono nowrap">
                <a href=href aria-expanded=move || is_open.get().to_string() aria-label=label title=time::exact(execution.timestamp)>{clock}</a>
            </td>
            <td class="col-dot"><ExecutionBadge status=execution.status/></td>
            <td><StatusCode code=execution.status_code/></td>
            <td class="mono second"><span class="method">{execution.method}</span> " " {execution.path}</td>
            <td class="num">{number::milliseconds(execution.duration)}</td>
            <td class="num col-wide">{number::bytes(execution.response_size)}</td>
            <td class="col-wide muted mono">{version}</td>
        </tr>
        {move || {
            is_open
                .get()
                .then(|| {
                    view! {
                        <tr class="table__detail">
                            <td colspan=COLUMNS><ExecutionDetail context execution=detail.get_value() replays=opened.replays/></td>
                        </tr>
                    }
                })
        }}
    }
}

/// The opened execution when the page of the list does not hold it.
#[component]
fn Elsewhere(
    context: FunctionContext,
    missing: Memo<Option<ExecutionId>>,
    opened: Opened,
) -> impl IntoView {
    let card = move |execution: Execution| {
        view! {
            <section class="card">
                <div class="card__header">
                    <h2 class="mono">{execution.method.clone()} " " {execution.path.clone()}</h2>
                    <span class="muted">{time::exact(execution.timestamp)}</span>
                    <StatusCode code=execution.status_code/>
                </div>
                <ExecutionDetail context execution replays=opened.replays/>
            </section>
        }
    };
    view! {
        <Load
            resource=opened.execution
            fallback=|| ()
            children=move |opened| {
                move || {
                    opened
                        .clone()
                        .filter(|opened| missing.with(|missing| missing.as_ref() == Some(&opened.id)))
                        .map(card)
                }
            }
        />
    }
}
