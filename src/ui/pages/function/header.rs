//! Name, status, address and actions of a function, above its tabs.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::context::{FunctionContext, FunctionTab};
use crate::api::builds::{CancelBuild, DeployFunction};
use crate::api::functions::{DuplicateFunction, SetFunctionEnabled};
use crate::model::function::{FunctionDetail, FunctionStatus};
use crate::model::id::TaskId;
use crate::model::task::TaskStatus;
use crate::ui::browser;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{LinkButton, SubmitButton, Weight, button_class};
use crate::ui::widgets::copy_button::CopyButton;
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::menu::MenuLink;
use crate::ui::widgets::notice::{FormError, action_error};
use crate::ui::widgets::status::{FunctionBadge, of_function};

/// What the main button would do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NextStep {
    Cancel(TaskId),
    DeployFirst,
    DeployChanges,
    BuildAgain,
    DeployAgain,
}

fn next_step(detail: &FunctionDetail) -> NextStep {
    match &detail.latest_task {
        Some(task) if !task.status.is_terminal() => NextStep::Cancel(task.id.clone()),
        _ if detail.function.deployed_version.is_none() && detail.latest_task.is_none() => {
            NextStep::DeployFirst
        }
        Some(task)
            if task.status == TaskStatus::Failed
                || detail.function.status == FunctionStatus::Failed =>
        {
            NextStep::BuildAgain
        }
        _ if detail.function.deployed_version.is_none() => NextStep::DeployFirst,
        _ if detail.function.undeployed_changes => NextStep::DeployChanges,
        _ => NextStep::DeployAgain,
    }
}

#[component]
pub(super) fn FunctionHeader(context: FunctionContext, tab: FunctionTab) -> impl IntoView {
    let words = use_i18n();
    let enable = ServerAction::<SetFunctionEnabled>::new();
    let deploy = ServerAction::<DeployFunction>::new();
    let cancel = ServerAction::<CancelBuild>::new();
    let duplicate = ServerAction::<DuplicateFunction>::new();
    context.refresh_after(enable);
    context.refresh_after(deploy);
    context.refresh_after(cancel);
    let errors = [
        action_error(enable),
        action_error(deploy),
        action_error(cancel),
        action_error(duplicate),
    ];
    let failed = Signal::derive(move || {
        errors
            .iter()
            .find_map(|error| error.get())
            .map(|error| error.message)
    });
    let name = context.part(|detail| detail.function.name.to_string());
    let status = context.part(|detail| of_function(&detail.function, &words.widgets));
    let step = context.part(next_step);
    let enabled = context.part(|detail| detail.function.status != FunctionStatus::Disabled);
    view! {
        <div class="fn-head">
            <div class="fn-head__top">
                <div class="fn-head__title">
                    <h1>{name}</h1>
                    {move || view! { <FunctionBadge status=status.get()/> }}
                </div>
                <div class="page__actions fn-head__actions">
                    <EnableForm context enable enabled/>
                    {(tab != FunctionTab::Test).then(|| view! { <LinkButton href=context.path(FunctionTab::Test) label=words.function.frame.open_test glyph=Glyph::Play/> })}
                    {move || match step.get() {
                        NextStep::Cancel(task) => view! { <CancelForm task cancel/> }.into_any(),
                        other => view! { <DeployForm context deploy step=other/> }.into_any(),
                    }}
                    <MoreMenu context tab duplicate/>
                </div>
            </div>
            <FunctionMeta context/>
        </div>
        <FormError error=failed/>
    }
}

#[component]
fn FunctionIds(context: FunctionContext) -> impl IntoView {
    view! {
        <input type="hidden" name="workspace" value=context.workspace().to_string()/>
        <input type="hidden" name="function" value=context.function().to_string()/>
    }
}

#[component]
fn EnableForm(
    context: FunctionContext,
    enable: ServerAction<SetFunctionEnabled>,
    enabled: Memo<bool>,
) -> impl IntoView {
    let words = &use_i18n().function.frame;
    view! {
        <ActionForm action=enable attr:class="only-wide">
            <FunctionIds context/>
            <button type="submit" class="button" name="enabled" value=move || if enabled.get() { "no" } else { "yes" }>
                {move || if enabled.get() { words.disable } else { words.enable }}
            </button>
        </ActionForm>
    }
}

#[component]
fn CancelForm(task: TaskId, cancel: ServerAction<CancelBuild>) -> impl IntoView {
    view! {
        <ActionForm action=cancel>
            <input type="hidden" name="task" value=task.to_string()/>
            <SubmitButton label=use_i18n().function.frame.cancel_build glyph=Glyph::Stop busy=cancel.pending()/>
        </ActionForm>
    }
}

#[component]
fn DeployForm(
    context: FunctionContext,
    deploy: ServerAction<DeployFunction>,
    step: NextStep,
) -> impl IntoView {
    let words = &use_i18n().function;
    let (label, glyph, weight) = match step {
        NextStep::DeployChanges => (words.frame.deploy_changes, Glyph::Deploy, Weight::Primary),
        NextStep::BuildAgain => (words.frame.build_again, Glyph::Refresh, Weight::Primary),
        NextStep::DeployAgain => (words.frame.deploy_again, Glyph::Deploy, Weight::Plain),
        NextStep::DeployFirst | NextStep::Cancel(_) => {
            (words.frame.deploy_first, Glyph::Deploy, Weight::Primary)
        }
    };
    let pending = deploy.pending();
    // What is deployed is what is saved; the page then changes to the Deploy tab.
    let guard = move |event: leptos::ev::MouseEvent| {
        if context.unsaved.get_untracked() && !browser::confirm(words.code.leave_unsaved) {
            event.prevent_default();
        }
    };
    view! {
        <ActionForm action=deploy>
            <FunctionIds context/>
            <button type="submit" class=button_class(weight, crate::ui::widgets::button::Size::Medium) aria-busy=move || pending.get().then_some("true") on:click=guard>
                <Icon glyph/>
                {label}
            </button>
        </ActionForm>
    }
}

#[component]
fn MoreMenu(
    context: FunctionContext,
    tab: FunctionTab,
    duplicate: ServerAction<DuplicateFunction>,
) -> impl IntoView {
    let words = &use_i18n().function.frame;
    view! {
        <details class="menu">
            <summary class="button button--icon" aria-label=words.more_actions><Icon glyph=Glyph::More/></summary>
            <div class="menu__list">
                <ActionForm action=duplicate>
                    <FunctionIds context/>
                    <button type="submit" class="menu__item"><Icon glyph=Glyph::Copy/>{words.duplicate}</button>
                </ActionForm>
                <hr class="menu__rule"/>
                <MenuLink href=format!("{}?dialog=delete", context.path(tab)) label=words.delete_ask glyph=Glyph::Trash danger=true/>
            </div>
        </details>
    }
}

/// The line under the name: address, what serves, what differs from it.
#[component]
fn FunctionMeta(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.frame;
    let url = context.part(|detail| detail.public_url.clone());
    let version = context.part(|detail| detail.function.deployed_version);
    let changed = context.part(|detail| {
        detail.function.deployed_version.is_some() && detail.function.undeployed_changes
    });
    let survived = context.part(|detail| {
        detail.function.deployed_version.is_some()
            && detail.function.status != FunctionStatus::Disabled
            && detail
                .latest_task
                .as_ref()
                .is_some_and(|task| task.status == TaskStatus::Failed)
    });
    let deploy_path = context.path(FunctionTab::Deploy);
    view! {
        <div class="fn-head__meta">
            {move || url.get().map(|url| view! { <PublicUrl url/> })}
            {move || match version.get() {
                Some(version) => view! { <span>{words.serving} " " <a class="link mono" href=deploy_path.clone()>{format!("v{version}")}</a></span> }.into_any(),
                None => view! { <span>{words.not_deployed}</span> }.into_any(),
            }}
            {move || changed.get().then(|| view! { <span class="warn">{words.undeployed_changes}</span> })}
            {move || survived.get().then(|| view! { <span>{words.still_answering}</span> })}
        </div>
    }
}

#[component]
fn PublicUrl(url: String) -> impl IntoView {
    let words = &use_i18n().function.frame;
    view! {
        <span class="url">
            <a href=url.clone() rel="external noopener">{url.clone()}</a>
            <CopyButton text=url.clone() label=words.copy_url/>
            <a class="button button--ghost button--icon button--s" href=url target="_blank" rel="external noopener" aria-label=words.open_url><Icon glyph=Glyph::Open/></a>
        </span>
    }
}
