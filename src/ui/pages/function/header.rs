//! Name, status, address and actions of a function, above its tabs.

use leptos::prelude::*;

use super::context::{FunctionContext, FunctionTab};
use super::header_actions::{CancelForm, DeployForm, EnableForm, MoreMenu, NextStep, next_step};
use crate::api::builds::{CancelBuild, DeployFunction};
use crate::api::functions::{DuplicateFunction, SetFunctionEnabled};
use crate::model::function::FunctionStatus;
use crate::model::task::TaskStatus;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::LinkButton;
use crate::ui::widgets::copy_button::CopyButton;
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::notice::{FormError, action_error};
use crate::ui::widgets::status::{FunctionBadge, of_function};

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
                None if url.get().is_some() => view! { <span>{words.serving_foreign}</span> }.into_any(),
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
