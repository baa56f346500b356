//! The Executions tab.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::{LazyRoute, lazy_route};
use std::time::Duration;

use super::context::{FunctionContext, FunctionTab};
use super::frame::FunctionFrame;
use crate::api::observe::list_executions;
use crate::model::error::Error;
use crate::model::execution::ExecutionPage;
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

pub struct FunctionExecutionsPage;

#[lazy_route]
impl LazyRoute for FunctionExecutionsPage {
    fn data() -> Self {
        Self
    }

    fn view(this: Self) -> AnyView {
        let FunctionExecutionsPage = this;
        view! { <FunctionFrame tab=FunctionTab::Executions body=|context| view! { <Executions context/> }.into_any()/> }.into_any()
    }
}

#[component]
fn Executions(context: FunctionContext) -> impl IntoView {
    let query = use_query_map();
    let fields = Memo::new(move |_| query.with(FilterFields::read));
    let open = Memo::new(move |_| {
        query.with(|query| {
            query
                .get_str("execution")
                .and_then(|id| ExecutionId::parse(id).ok())
        })
    });
    let page = Resource::new(
        move || fields.get(),
        move |fields| async move {
            list_executions(context.workspace(), context.function(), fields.filter()).await
        },
    );
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
                    view! { <ExecutionTable context path=table_path.clone() fields initial open/> }.into_any()
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
