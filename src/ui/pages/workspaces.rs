//! `/`: the workspaces as cards.

use leptos::prelude::*;
use std::time::Duration;

use super::{use_query, with_query};
use crate::api::workspaces::list_workspaces;
use crate::model::workspace::WorkspaceCard;
use crate::ui::browser;
use crate::ui::frame::{Page, PageHead};
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::button::{LinkButton, Weight};
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::load::Load;
use crate::ui::workspace::cards::{Card, CardOrder, select_cards};
use crate::ui::workspace::create_dialog::CreateDialog;
use crate::ui::workspace::search_form::SearchForm;

const REFRESH: Duration = Duration::from_secs(10);

#[component]
pub fn Workspaces() -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.workspace;
    let cards = Resource::new(|| (), |()| list_workspaces());
    browser::use_interval(REFRESH, move || cards.refetch());
    let (search, sort, dialog) = (use_query("q"), use_query("sort"), use_query("dialog"));
    let order = Memo::new(move |_| CardOrder::from_key(&sort.get().unwrap_or_default()));
    let here = move |dialog| {
        with_query(
            "/",
            &[
                ("q", &search.get().unwrap_or_default()),
                ("sort", &sort.get().unwrap_or_default()),
                ("dialog", dialog),
            ],
        )
    };
    let names = RwSignal::new(Vec::new());
    view! {
        <Page title=i18n.frame.workspaces.to_owned()>
            <PageHead title=i18n.frame.workspaces text=words.subtitle>
                <a class="button button--primary" href=move || here("create")>
                    <Icon glyph=Glyph::Plus/>
                    {i18n.frame.create_workspace}
                </a>
            </PageHead>
            <Load resource=cards let:cards>
                {
                    names.set(cards.iter().map(|card: &WorkspaceCard| card.workspace.name.to_string()).collect());
                    move || view! { <Cards cards=cards.clone() search=search.get().unwrap_or_default() order=order.get()/> }
                }
            </Load>
        </Page>
        {move || (dialog.get().as_deref() == Some("create")).then(|| view! { <CreateDialog close=here("") taken=names.into()/> })}
    }
}

#[component]
fn Cards(cards: Vec<WorkspaceCard>, search: String, order: CardOrder) -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.workspace;
    if cards.is_empty() {
        return view! {
            <EmptyState title=words.hero_title text=words.hero_text>
                <LinkButton href="/?dialog=create" label=i18n.frame.create_workspace weight=Weight::Primary glyph=Glyph::Plus/>
            </EmptyState>
        }
        .into_any();
    }
    let totals = (words.totals)(
        cards.len() as u64,
        cards.iter().map(|card| card.workspace.function_count).sum(),
    );
    let options = [(CardOrder::Activity, words.sort_activity), (CardOrder::Name, words.sort_name), (CardOrder::Created, words.sort_created)]
        .map(|(option, label)| view! { <option value=option.key() selected=option == order>{label}</option> })
        .collect_view();
    let chosen = select_cards(cards, &search, order);
    let found = if chosen.is_empty() {
        view! {
            <EmptyState title=words.nothing_found_title text=words.nothing_found_text>
                <LinkButton href="/" label=words.show_all/>
            </EmptyState>
        }
        .into_any()
    } else {
        view! { <div class="ws-grid">{chosen.into_iter().map(|card| view! { <Card card/> }).collect_view()}</div> }.into_any()
    };
    view! {
        <SearchForm action="/" label=words.search placeholder=words.search_placeholder submit=words.search_button value=search>
            <select class="select" name="sort" aria-label=words.sort on:change=move |event| browser::submit_form_of(&event_target(&event))>{options}</select>
            <span class="muted only-wide toolbar__end">{totals}</span>
        </SearchForm>
        {found}
    }
    .into_any()
}
