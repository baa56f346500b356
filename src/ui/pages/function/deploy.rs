//! The Deploy tab: progress first, settings beside it, history below.

use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use leptos_router::{LazyRoute, NavigateOptions, lazy_route};

use super::context::{FunctionContext, FunctionTab};
use super::frame::FunctionFrame;
use crate::api::builds::{
    CancelBuild, DeployFunction, Redeploy, RetryBuild, build_history, build_progress,
};
use crate::model::error::Error;
use crate::model::id::TaskId;
use crate::ui::build::progress::BuildCard;
use crate::ui::deploy::builds_table::BuildTable;
use crate::ui::deploy::deployments_table::DeploymentTable;
use crate::ui::deploy::form::DeploySettings;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::load::Load;

pub struct FunctionDeployPage;

#[lazy_route]
impl LazyRoute for FunctionDeployPage {
    fn data() -> Self {
        Self
    }

    fn view(this: Self) -> AnyView {
        let FunctionDeployPage = this;
        view! { <FunctionFrame tab=FunctionTab::Deploy body=|context| view! { <Deploy context/> }.into_any()/> }.into_any()
    }
}

/// The task of `?task=`, else the newest one.
fn use_shown_task(context: FunctionContext) -> Memo<Option<TaskId>> {
    let query = use_query_map();
    let latest = context.part(|detail| detail.latest_task.as_ref().map(|task| task.id.clone()));
    Memo::new(move |_| {
        query
            .with(|query| query.get_str("task").and_then(|id| TaskId::parse(id).ok()))
            .or_else(|| latest.get())
    })
}

/// After a new build begins, an older one chosen by the address gives way to it.
fn show_newest_after<S>(action: ServerAction<S>, context: FunctionContext)
where
    S: leptos::server_fn::ServerFn<Error = Error> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    let navigate = use_navigate();
    let query = use_query_map();
    let value = action.value();
    Effect::new(move |_| {
        let done = value.with(|value| matches!(value, Some(Ok(_))));
        if done && query.with_untracked(|query| query.get_str("task").is_some()) {
            navigate(
                &context.path(FunctionTab::Deploy),
                NavigateOptions::default(),
            );
        }
    });
}

#[component]
fn Deploy(context: FunctionContext) -> impl IntoView {
    let deploy = ServerAction::<DeployFunction>::new();
    let cancel = ServerAction::<CancelBuild>::new();
    let retry = ServerAction::<RetryBuild>::new();
    let redeploy = ServerAction::<Redeploy>::new();
    context.refresh_after(deploy);
    context.refresh_after(cancel);
    context.refresh_after(retry);
    context.refresh_after(redeploy);
    show_newest_after(retry, context);
    show_newest_after(deploy, context);
    let task = use_shown_task(context);
    let progress = Resource::new(
        move || task.get(),
        |task| async move {
            match task {
                Some(task) => build_progress(task, 0).await.map(Some),
                None => Ok(None),
            }
        },
    );
    // The history changes when a task begins or ends and when another version serves.
    let changes = context.part(|detail| {
        (
            detail
                .latest_task
                .as_ref()
                .map(|task| (task.id.clone(), task.status)),
            detail.function.deployed_version,
            detail.function.last_deployed,
        )
    });
    let history = Resource::new(
        move || (changes.get(), redeploy.version().get()),
        move |_| build_history(context.workspace(), context.function()),
    );
    let ended = Callback::new(move |()| context.refresh());
    view! {
        <div class="split split--side">
            <div class="stack">
                <Load
                    resource=progress
                    children=move |progress| match progress {
                        Some(initial) => view! { <BuildCard context initial cancel retry ended/> }.into_any(),
                        None => view! { <NothingBuilt context/> }.into_any(),
                    }
                />
                <Load
                    resource=history
                    children=move |history| {
                        view! {
                            <BuildTable context tasks=history.tasks/>
                            <DeploymentTable deployments=history.deployments redeploy/>
                        }
                    }
                />
            </div>
            <aside><DeploySettings context deploy/></aside>
        </div>
    }
}

#[component]
fn NothingBuilt(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let app_name = context
        .detail
        .with_untracked(|detail| detail.suggested_app_name.to_string());
    view! { <div class="card"><EmptyState title=words.none_title text=(words.none_text)(&app_name)/></div> }
}
