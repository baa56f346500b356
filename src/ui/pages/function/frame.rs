//! The header and tabs around every page of a function.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use std::time::Duration;

use super::context::{FunctionContext, FunctionTab};
use super::delete_dialog::DeleteDialog;
use super::header::FunctionHeader;
use crate::api::functions::function_detail;
use crate::model::id::FunctionId;
use crate::ui::browser;
use crate::ui::frame::{BackLink, Page};
use crate::ui::i18n::use_i18n;
use crate::ui::pages::{use_workspace_id, workspace_href};
use crate::ui::widgets::load::Load;
use crate::ui::widgets::tabs::{Tab, Tabs};

/// How often the header asks while a build runs; at other times every third time.
const TICK: Duration = Duration::from_secs(2);

/// Loads the function of the address and shows `body` under its header.
#[component]
pub fn FunctionFrame(tab: FunctionTab, body: fn(FunctionContext) -> AnyView) -> impl IntoView {
    let words = &use_i18n().function.frame;
    let (workspace, params) = (use_workspace_id(), use_params_map());
    let function = Memo::new(move |_| {
        FunctionId::parse(params.with(|params| params.get("fn")).unwrap_or_default())
    });
    let detail = Resource::new(
        move || (workspace.get(), function.get()),
        |(workspace, function)| async move { function_detail(workspace?, function?).await },
    );
    let functions = Signal::derive(move || workspace_href(&workspace.get(), "/functions"));
    view! {
        <Page title=tab.label(words)>
            <BackLink href=functions label=words.functions/>
            <Load
                resource=detail
                children=move |detail| {
                    let context = FunctionContext::new(detail);
                    view! { <Loaded context tab body/> }
                }
            />
        </Page>
    }
}

#[component]
fn Loaded(
    context: FunctionContext,
    tab: FunctionTab,
    body: fn(FunctionContext) -> AnyView,
) -> impl IntoView {
    let words = use_i18n();
    let name = context.part(|detail| detail.function.name.to_string());
    let ticks = StoredValue::new(0_u32);
    browser::use_interval(TICK, move || {
        ticks.update_value(|ticks| *ticks = ticks.wrapping_add(1));
        if context.is_busy() || ticks.get_value().is_multiple_of(3) {
            context.refresh();
        }
    });
    let tabs = FunctionTab::ALL
        .into_iter()
        .map(|one| Tab {
            href: context.path(one),
            label: one.label(&words.function.frame),
            current: one == tab,
        })
        .collect();
    view! {
        <Title text=move || name.with(|name| (words.frame.title)(&format!("{name}: {}", tab.label(&words.function.frame))))/>
        <FunctionHeader context tab/>
        <Tabs label=words.function.frame.tabs_label tabs/>
        {body(context)}
        <DeleteDialog context tab/>
    }
}
