//! The Deploy tab: progress first, settings beside it, history below.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::context::{FunctionContext, FunctionTab, refetch_after, use_function_ids};
use super::frame::FunctionFrame;
use crate::api::builds::{
    BuildHistory, BuildProgress, CancelBuild, DeployFunction, Redeploy, RetryBuild, build_history,
    build_progress, preview_manifest,
};
use crate::api::versions::DeployVersion;
use crate::model::error::Error;
use crate::model::id::{FunctionId, TaskId, WorkspaceId};
use crate::ui::build::progress::BuildCard;
use crate::ui::deploy::builds_table::BuildTable;
use crate::ui::deploy::canary::{CanaryActions, CanaryCard};
use crate::ui::deploy::deployments_table::DeploymentTable;
use crate::ui::deploy::form::DeploySettings;
use crate::ui::deploy::versions_table::VersionTable;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::use_query;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::load::Load;

/// The history, and the build to show: the one that the address names, else the newest.
async fn load_builds(
    workspace: WorkspaceId,
    function: FunctionId,
    named: Option<String>,
) -> Result<(BuildHistory, Option<BuildProgress>), Error> {
    let history = build_history(workspace, function).await?;
    let named = named.and_then(|id| TaskId::parse(id).ok());
    let task = named.or_else(|| history.tasks.first().map(|task| task.id.clone()));
    let progress = match task {
        Some(task) => Some(build_progress(task, 0).await?),
        None => None,
    };
    Ok((history, progress))
}

/// The forms of the tab.
#[derive(Clone, Copy)]
struct DeployActions {
    deploy: ServerAction<DeployFunction>,
    cancel: ServerAction<CancelBuild>,
    retry: ServerAction<RetryBuild>,
    redeploy: ServerAction<Redeploy>,
    deploy_version: ServerAction<DeployVersion>,
    canary: CanaryActions,
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
pub fn DeployTab() -> impl IntoView {
    let ids = use_function_ids();
    let named = use_query("task");
    let builds = Resource::new(
        move || (ids.get(), named.get()),
        |(ids, named)| async move {
            let (workspace, function) = ids?;
            load_builds(workspace, function, named).await
        },
    );
    let manifest = Resource::new(
        move || ids.get(),
        |ids| async move {
            let (workspace, function) = ids?;
            preview_manifest(workspace, function).await
        },
    );
    let body = move |context| view! { <DeployBody context builds manifest/> }.into_any();
    view! { <FunctionFrame tab=FunctionTab::Deploy body/> }
}

#[component]
fn DeployBody(
    context: FunctionContext,
    builds: Resource<Result<(BuildHistory, Option<BuildProgress>), Error>>,
    manifest: Resource<Result<String, Error>>,
) -> impl IntoView {
    let actions = DeployActions {
        deploy: ServerAction::new(),
        cancel: ServerAction::new(),
        retry: ServerAction::new(),
        redeploy: ServerAction::new(),
        deploy_version: ServerAction::new(),
        canary: CanaryActions {
            start: ServerAction::new(),
            promote: ServerAction::new(),
            end: ServerAction::new(),
        },
    };
    context.refresh_after(actions.deploy);
    context.refresh_after(actions.cancel);
    context.refresh_after(actions.retry);
    context.refresh_after(actions.redeploy);
    context.refresh_after(actions.deploy_version);
    context.refresh_after(actions.canary.promote);
    refetch_after(actions.canary.start, builds);
    refetch_after(actions.canary.end, builds);
    show_newest_after(actions.retry, context);
    show_newest_after(actions.deploy, context);
    // Another build, begun by whomever, the end of one, or another version that serves.
    let state = context.part(|detail| {
        let task = detail
            .latest_task
            .as_ref()
            .map(|task| (task.id.clone(), task.status.is_terminal()));
        (
            task,
            detail.function.deployed_version,
            detail.function.last_deployed,
        )
    });
    Effect::new(move |before: Option<_>| {
        let state = state.get();
        if before.is_some_and(|before| before != state) {
            builds.refetch();
            manifest.refetch();
        }
        state
    });
    view! {
        <div class="split split--side">
            <div class="stack">
                <Load
                    resource=builds
                    children=move |(history, progress)| view! { <Builds context history progress actions/> }
                />
            </div>
            <aside><DeploySettings context deploy=actions.deploy manifest/></aside>
        </div>
    }
}

#[component]
fn Builds(
    context: FunctionContext,
    history: BuildHistory,
    progress: Option<BuildProgress>,
    actions: DeployActions,
) -> impl IntoView {
    let ended = Callback::new(move |()| context.refresh());
    let DeployActions {
        cancel,
        retry,
        redeploy,
        deploy_version,
        canary,
        ..
    } = actions;
    let serving = context
        .detail
        .with_untracked(|detail| detail.function.deployed_version);
    let is_deployed = context
        .detail
        .with_untracked(|detail| detail.function.app_name.is_some());
    let numbers = history.versions.iter().map(|view| view.version.number);
    let others: Vec<u32> = numbers.filter(|number| Some(*number) != serving).collect();
    let card = match progress {
        Some(initial) => view! { <BuildCard context initial cancel retry ended/> }.into_any(),
        // An image that was built elsewhere serves.
        None if is_deployed => ().into_any(),
        None => view! { <NothingBuilt context/> }.into_any(),
    };
    view! {
        {card}
        <VersionTable context versions=history.versions deploy=deploy_version/>
        {is_deployed.then(|| view! { <CanaryCard context versions=others initial=history.canary actions=canary/> })}
        <BuildTable context tasks=history.tasks/>
        <DeploymentTable deployments=history.deployments redeploy/>
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
