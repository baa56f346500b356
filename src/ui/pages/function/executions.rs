//! The Executions tab.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use std::time::Duration;

use super::context::{FunctionContext, FunctionTab, use_function_ids};
use super::frame::FunctionFrame;
use crate::api::observe::{get_execution, list_executions};
use crate::api::replays::list_replay_versions;
use crate::model::error::Error;
use crate::model::execution::{Execution, ExecutionPage};
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::ui::browser;
use crate::ui::i18n::use_i18n;
use crate::ui::observe::executions::{ExecutionTable, Opened};
use crate::ui::observe::filter::FilterFields;
use crate::ui::observe::filter_bar::FilterBar;
use crate::ui::test::replay::Replays;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::load::Load;

/// How often an empty list is asked for.
const POLL: Duration = Duration::from_secs(3);

#[component]
pub fn ExecutionsTab() -> impl IntoView {
    let ids = use_function_ids();
    let query = use_query_map();
    let fields = Memo::new(move |_| query.with(FilterFields::read));
    let named = move |name: &str| {
        query.with(|query| ExecutionId::parse(query.get(name).unwrap_or_default()).ok())
    };
    let open = Memo::new(move |_| named("execution"));
    let page = Resource::new(
        move || (ids.get(), fields.get()),
        |(ids, fields)| async move {
            let (workspace, function) = ids?;
            list_executions(workspace, function, fields.filter()).await
        },
    );
    let opened = Opened {
        id: open,
        execution: named_execution(ids, open),
        replays: Replays {
            versions: Resource::new(
                move || (ids.get(), open.get().is_some()),
                |(ids, is_open)| async move {
                    let (workspace, function) = ids?;
                    if is_open {
                        list_replay_versions(workspace, function).await
                    } else {
                        Ok(Vec::new())
                    }
                },
            ),
            shown: named_execution(ids, Memo::new(move |_| named("replay"))),
        },
    };
    let body = move |context| view! { <Listing context fields page opened/> }.into_any();
    view! { <FunctionFrame tab=FunctionTab::Executions body/> }
}

/// The execution that the address names, when it names one.
fn named_execution(
    ids: Memo<Result<(WorkspaceId, FunctionId), Error>>,
    name: Memo<Option<ExecutionId>>,
) -> Resource<Result<Option<Execution>, Error>> {
    Resource::new(
        move || (ids.get(), name.get()),
        |(ids, name)| async move {
            let (workspace, function) = ids?;
            match name {
                Some(name) => get_execution(workspace, function, name).await.map(Some),
                None => Ok(None),
            }
        },
    )
}

#[component]
fn Listing(
    context: FunctionContext,
    fields: Memo<FilterFields>,
    page: Resource<Result<ExecutionPage, Error>>,
    opened: Opened,
) -> impl IntoView {
    let path = context.path(FunctionTab::Executions);
    let table_path = path.clone();
    view! {
        {move || view! { <FilterBar path=path.clone() fields=fields.get()/> }}
        <Load
            resource=page
            children=move |initial| {
                let fields = fields.get_untracked();
                if initial.executions.is_empty() && fields.cursor.is_empty() && opened.id.get_untracked().is_none() {
                    view! { <NoExecutions context page filtering=fields.is_filtering()/> }.into_any()
                } else {
                    view! { <ExecutionTable context path=table_path.clone() fields initial opened/> }.into_any()
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
