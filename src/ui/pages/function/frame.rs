//! The header and tabs around every page of a function.

use leptos::prelude::*;
use leptos_meta::Title;
use std::time::Duration;

use super::context::{FunctionContext, FunctionTab, use_function_ids};
use super::delete_dialog::DeleteDialog;
use super::header::FunctionHeader;
use crate::api::functions::function_detail;
use crate::ui::browser;
use crate::ui::frame::{BackLink, Page, lasting_title};
use crate::ui::i18n::use_i18n;
use crate::ui::pages::{use_workspace_id, workspace_href};
use crate::ui::widgets::load::Load;
use crate::ui::widgets::tabs::{Tab, Tabs};

/// How often the header asks while a build runs; at other times every third time.
const TICK: Duration = Duration::from_secs(2);

/// Loads the function of the address and shows `body` under its header.
///
/// Whatever else a tab asks for is asked for outside of `body`: the server runs it more than once, and a resource made in it
/// would be fetched each time and not be found by the browser.
#[component]
pub fn FunctionFrame(
    tab: FunctionTab,
    body: impl Fn(FunctionContext) -> AnyView + Clone + Send + Sync + 'static,
) -> impl IntoView {
    let words = &use_i18n().function.frame;
    let (workspace, ids) = (use_workspace_id(), use_function_ids());
    let detail = Resource::new(
        move || ids.get(),
        |ids| async move {
            let (workspace, function) = ids?;
            function_detail(workspace, function).await
        },
    );
    let functions = Signal::derive(move || workspace_href(&workspace.get(), "/functions"));
    view! {
        <Page title=tab.label(words)>
            <BackLink href=functions label=words.functions/>
            <Load
                resource=detail
                children=move |detail| {
                    let context = FunctionContext::new(detail);
                    let body = body(context);
                    view! { <Loaded context tab body/> }
                }
            />
        </Page>
    }
}

#[component]
fn Loaded(context: FunctionContext, tab: FunctionTab, body: AnyView) -> impl IntoView {
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
    let title = move |name: &str| {
        let tab = tab.label(&words.function.frame);
        (words.frame.title)(&format!("{name}: {tab}"))
    };
    view! {
        <Title text=lasting_title(name, title)/>
        <FunctionHeader context tab/>
        <Tabs label=words.function.frame.tabs_label tabs/>
        {body}
        <DeleteDialog context tab/>
    }
}
