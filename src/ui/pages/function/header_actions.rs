//! What can be done to a function from its header, on every tab.

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
use crate::ui::settings::export::export_href;
use crate::ui::widgets::button::{Size, SubmitButton, Weight, button_class};
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::menu::MenuLink;

/// What the main button would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    Cancel(TaskId),
    DeployFirst,
    DeployChanges,
    BuildAgain,
    DeployAgain,
}

pub(super) fn next_step(detail: &FunctionDetail) -> NextStep {
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
fn FunctionIds(context: FunctionContext) -> impl IntoView {
    view! {
        <input type="hidden" name="workspace" value=context.workspace().to_string()/>
        <input type="hidden" name="function" value=context.function().to_string()/>
    }
}

#[component]
pub(super) fn EnableForm(
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
pub(super) fn CancelForm(task: TaskId, cancel: ServerAction<CancelBuild>) -> impl IntoView {
    view! {
        <ActionForm action=cancel>
            <input type="hidden" name="task" value=task.to_string()/>
            <SubmitButton label=use_i18n().function.frame.cancel_build glyph=Glyph::Stop busy=cancel.pending()/>
        </ActionForm>
    }
}

#[component]
pub(super) fn DeployForm(
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
            <button type="submit" class=button_class(weight, Size::Medium) aria-busy=move || pending.get().then_some("true") on:click=guard>
                <Icon glyph/>
                {label}
            </button>
        </ActionForm>
    }
}

#[component]
pub(super) fn MoreMenu(
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
                <a class="menu__item" href=export_href(context) download="">
                    <Icon glyph=Glyph::Download/>
                    {use_i18n().spin_apps.export}
                </a>
                <hr class="menu__rule"/>
                <MenuLink href=format!("{}?dialog=delete", context.path(tab)) label=words.delete_ask glyph=Glyph::Trash danger=true/>
            </div>
        </details>
    }
}
