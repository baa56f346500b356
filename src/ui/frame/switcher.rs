//! The workspace in the header, and the way to another one.

use leptos::prelude::*;

use crate::api::workspaces::list_workspaces;
use crate::model::error::Error;
use crate::model::id::WorkspaceId;
use crate::model::workspace::{Workspace, WorkspaceCard};
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::icon::{Glyph, Icon};

/// From this many workspaces on, the list can be searched.
const MANY: usize = 8;

/// The list is asked for when the menu opens; without JavaScript the menu leads to the first page, which has it.
#[component]
pub fn Switcher(
    id: WorkspaceId,
    workspace: Resource<Result<Option<Workspace>, Error>>,
) -> impl IntoView {
    let words = &use_i18n().frame;
    let list = Action::new(|(): &()| list_workspaces());
    let fallback = id.to_string();
    let unknown = id.to_string();
    view! {
        <details class="menu" on:toggle=move |_| { list.dispatch(()); }>
            <summary class="button button--ghost switcher" title=words.switch_workspace>
                <Transition fallback=move || fallback.clone()>
                    {move || {
                        let unknown = unknown.clone();
                        Suspend::new(async move { workspace.await.ok().flatten().map_or(unknown, |workspace| workspace.name.to_string()) })
                    }}
                </Transition>
                <Icon glyph=Glyph::Sort/>
            </summary>
            <div class="menu__list menu__list--start">
                {move || {
                    let id = id.clone();
                    list.value().get().map(|result| view! { <WorkspaceLinks result current=id/> })
                }}
                <a class="menu__item" href="/">{words.all_workspaces}</a>
                <a class="menu__item" href="/?dialog=create"><Icon glyph=Glyph::Plus/>{words.create_workspace}</a>
            </div>
        </details>
    }
}

#[component]
fn WorkspaceLinks(
    result: Result<Vec<WorkspaceCard>, Error>,
    current: WorkspaceId,
) -> impl IntoView {
    let words = &use_i18n().frame;
    let cards = match result {
        Ok(cards) => cards,
        Err(error) => {
            return view! { <p class="menu__title" role="alert">{error.message}</p> }.into_any();
        }
    };
    let typed = RwSignal::new(String::new());
    let search = (cards.len() >= MANY).then(|| {
        view! { <input class="input input--s" type="search" aria-label=use_i18n().workspace.search placeholder=use_i18n().workspace.search on:input=move |event| typed.set(event_target_value(&event).to_lowercase())/> }
    });
    let links = cards
        .into_iter()
        .map(|card| {
            let workspace = card.workspace;
            let lowered = workspace.name.as_str().to_lowercase();
            let current = (workspace.id == current).then_some("true");
            view! {
                <a class="menu__item" href=format!("/workspaces/{}", workspace.id) aria-current=current hidden=move || typed.with(|typed| !lowered.contains(typed.as_str()))>
                    {workspace.name.to_string()} <span class="end muted">{number::count(workspace.function_count)}</span>
                </a>
            }
        })
        .collect_view();
    view! {
        <p class="menu__title">{words.workspaces}</p>
        {search}
        {links}
        <hr class="menu__rule"/>
    }
    .into_any()
}
