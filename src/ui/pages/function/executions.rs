//! The Executions tab.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use std::time::Duration;

use super::context::{FunctionContext, FunctionTab, use_function_ids};
use super::frame::FunctionFrame;
use crate::api::observe::{get_execution, list_executions};
use crate::model::error::Error;
use crate::model::execution::{Execution, ExecutionPage};
use crate::model::id::ExecutionId;
use crate::ui::browser;
use crate::ui::i18n::use_i18n;
use crate::ui::observe::executions::ExecutionTable;
use crate::ui::observe::filter::FilterFields;
use crate::ui::observe::filter_bar::FilterBar;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::load::Load;

/// How often an empty list is asked for.
const POLL: Duration = Duration::from_secs(3);

#[component]
pub fn ExecutionsTab() -> impl IntoView {
    let ids = use_function_ids();
    let query = use_query_map();
    let fields = Memo::new(move |_| query.with(FilterFields::read));
    let open = Memo::new(move |_| {
        query.with(|query| ExecutionId::parse(query.get("execution").unwrap_or_default()).ok())
    });
    let page = Resource::new(
        move || (ids.get(), fields.get()),
        |(ids, fields)| async move {
            let (workspace, function) = ids?;
            list_executions(workspace, function, fields.filter()).await
        },
    );
    // The address may name one that is on another page of the list.
    let opened = Resource::new(
        move || (ids.get(), open.get()),
        |(ids, open)| async move {
            let (workspace, function) = ids?;
            match open {
                Some(open) => get_execution(workspace, function, open).await.map(Some),
                None => Ok(None),
            }
        },
    );
    let body = move |context| view! { <Listing context fields open page opened/> }.into_any();
    view! { <FunctionFrame tab=FunctionTab::Executions body/> }
}

#[component]
fn Listing(
    context: FunctionContext,
    fields: Memo<FilterFields>,
    open: Memo<Option<ExecutionId>>,
    page: Resource<Result<ExecutionPage, Error>>,
    opened: Resource<Result<Option<Execution>, Error>>,
) -> impl IntoView {
    let path = context.path(FunctionTab::Executions);
    let table_path = path.clone();
    view! {
        {move || view! { <FilterBar path=path.clone() fields=fields.get()/> }}
        <Load
            resource=page
            children=move |initial| {
                let fields = fields.get_untracked();
                if initial.executions.is_empty() && fields.cursor.is_empty() && open.get_untracked().is_none() {
                    view! { <NoExecutions context page filtering=fields.is_filtering()/> }.into_any()
                } else {
                    view! { <ExecutionTable context path=table_path.clone() fields initial open opened/> }.into_any()
                }
            }
        />
    }
}

#[component]
fn NoExecutions(
    context: FunctionContext,
    page: Resource<Result<ExecutionPage, Error>>,
    filtering: bool,
) -> impl IntoView {
    let words = &use_i18n().function.executions;
    browser::use_interval(POLL, move || page.refetch());
    let (title, text) = if filtering {
        (words.nothing_title, words.nothing_text)
    } else {
        (words.empty_title, words.empty_text)
    };
    view! {
        <div class="card">
            <EmptyState title text>
                {(!filtering).then(|| view! { <a class="button" href=context.path(FunctionTab::Test)>{words.empty_step}</a> })}
            </EmptyState>
        </div>
    }
}
