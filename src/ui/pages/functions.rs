//! `/workspaces/{ws}/functions`: the functions of a workspace.

use leptos::form::ActionForm;
use leptos::prelude::*;
use std::time::Duration;

use super::{use_query, use_workspace_id, workspace_href};
use crate::api::functions::{
    DeleteFunction, DuplicateFunction, SetFunctionEnabled, list_functions,
};
use crate::model::function::{FunctionFilter, FunctionPage, FunctionStatus};
use crate::ui::browser;
use crate::ui::frame::{BackLink, Page, PageHead, use_current_workspace};
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::button::{LinkButton, Weight};
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::field::error_of_form;
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::load::Load;
use crate::ui::widgets::notice::{FormError, action_error};
use crate::ui::widgets::pagination::Pagination;
use crate::ui::widgets::tabs::{Segmented, Tab};
use crate::ui::workspace::delete_function_dialog::DeleteFunctionDialog;
use crate::ui::workspace::function_list::{FunctionList, status_choices, use_function_list};
use crate::ui::workspace::function_rows::{
    DISABLE_FORM, DUPLICATE_FORM, ENABLE_FORM, FunctionTable,
};
use crate::ui::workspace::search_form::SearchForm;

const REFRESH: Duration = Duration::from_secs(5);

#[component]
pub fn Functions() -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.functions;
    let workspace = use_workspace_id();
    let list = use_function_list(workspace);
    let set_enabled = ServerAction::<SetFunctionEnabled>::new();
    let delete = ServerAction::<DeleteFunction>::new();
    let page = Resource::new(
        move || {
            (
                list.get(),
                set_enabled.version().get(),
                delete.version().get(),
            )
        },
        |(list, ..)| async move { list_functions(list.workspace?, list.filter).await },
    );
    browser::use_interval(REFRESH, move || {
        // Rows must not move under an open menu.
        if !browser::is_menu_open() {
            page.refetch();
        }
    });
    let current = use_current_workspace();
    Effect::new(move |before: Option<usize>| {
        let version = delete.version().get();
        if before.is_some_and(|before| before != version) {
            current.refresh();
        }
        version
    });
    let (dialog, chosen) = (use_query("dialog"), use_query("function"));
    let names = RwSignal::new(Vec::<(String, String)>::new());
    let delete_dialog = move || {
        let function = chosen
            .get()
            .filter(|_| dialog.get().as_deref() == Some("delete"))?;
        let name = names.with(|names| {
            names
                .iter()
                .find(|(id, _)| *id == function)
                .map_or_else(|| function.clone(), |(_, name)| name.clone())
        });
        let workspace = workspace.get().ok()?;
        Some(
            view! { <DeleteFunctionDialog action=delete workspace function name close=list.get().href()/> },
        )
    };
    view! {
        <Page title=words.title.to_owned()>
            <BackLink href=Signal::derive(move || workspace_href(&workspace.get(), "")) label=i18n.frame.overview.to_owned()/>
            <PageHead title=words.title>
                <a class="button button--primary" href=move || workspace_href(&workspace.get(), "/functions/new")><Icon glyph=Glyph::Plus/>{words.create}</a>
            </PageHead>
            {move || view! { <Toolbar list=list.get()/> }}
            <RowForms set_enabled workspace=Signal::derive(move || workspace.get().map(|id| id.to_string()).unwrap_or_default())/>
            <Load resource=page let:page>
                {
                    names.set(page.rows.iter().map(|row| (row.function.id.to_string(), row.function.name.to_string())).collect());
                    view! { <Rows page list=list.get_untracked()/> }
                }
            </Load>
        </Page>
        {delete_dialog}
    }
}

#[component]
fn Toolbar(list: FunctionList) -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.functions;
    let label = |status| match status {
        None => words.all,
        Some(FunctionStatus::Active) => i18n.widgets.active,
        Some(FunctionStatus::Disabled) => i18n.widgets.disabled,
        Some(FunctionStatus::Building) => i18n.widgets.building,
        Some(FunctionStatus::Deploying) => i18n.widgets.deploying,
        Some(FunctionStatus::Failed) => i18n.widgets.failed,
    };
    let options = status_choices()
        .map(|status| Tab {
            href: list.with_status(status).href(),
            label: label(status),
            current: list.filter.status == status,
        })
        .collect();
    // What a new search keeps.
    let status = list
        .filter
        .status
        .map(|status| view! { <input type="hidden" name="status" value=status.as_str()/> });
    view! {
        <SearchForm
            action=workspace_href(&list.workspace, "/functions")
            label=words.search
            placeholder=words.search_placeholder
            submit=i18n.workspace.search_button
            value=list.filter.q.clone().unwrap_or_default()
        >
            {status}
            <Segmented label=words.status options/>
        </SearchForm>
    }
}

/// One form for each action; the buttons in the rows' menus name it and bring the function's id.
#[component]
fn RowForms(
    set_enabled: ServerAction<SetFunctionEnabled>,
    workspace: Signal<String>,
) -> impl IntoView {
    let duplicate = ServerAction::<DuplicateFunction>::new();
    let error = Signal::derive(move || {
        action_error(set_enabled)
            .get()
            .or_else(|| action_error(duplicate).get())
    });
    view! {
        <ActionForm action=set_enabled attr:id=ENABLE_FORM attr:hidden=true>
            <input type="hidden" name="workspace" value=workspace/>
            <input type="hidden" name="enabled" value="yes"/>
        </ActionForm>
        <ActionForm action=set_enabled attr:id=DISABLE_FORM attr:hidden=true>
            <input type="hidden" name="workspace" value=workspace/>
            <input type="hidden" name="enabled" value="no"/>
        </ActionForm>
        <ActionForm action=duplicate attr:id=DUPLICATE_FORM attr:hidden=true>
            <input type="hidden" name="workspace" value=workspace/>
        </ActionForm>
        <FormError error=error_of_form(error, &[])/>
    }
}

/// The places of the first and the last row among all that pass the filter. All pages but the last are full.
fn shown(page: &FunctionPage) -> (u64, u64) {
    let rows = page.rows.len() as u64;
    let before = if page.page >= page.pages {
        page.total.saturating_sub(rows)
    } else {
        u64::from(page.page.saturating_sub(1)) * rows
    };
    (before + 1, before + rows)
}

#[component]
fn Rows(page: FunctionPage, list: FunctionList) -> impl IntoView {
    let words = &use_i18n().functions;
    if page.rows.is_empty() {
        return if list.is_filtered() || page.all > 0 {
            let all = FunctionList {
                filter: FunctionFilter::default(),
                ..list
            };
            view! { <EmptyState title=words.nothing_found_title text=words.nothing_found_text><LinkButton href=all.href() label=words.clear_filters/></EmptyState> }.into_any()
        } else {
            let create = workspace_href(&list.workspace, "/functions/new");
            view! {
                <EmptyState title=words.empty_title text=words.empty_text>
                    <LinkButton href=create label=words.create weight=Weight::Primary glyph=Glyph::Plus/>
                </EmptyState>
            }
            .into_any()
        };
    }
    let (first, last) = shown(&page);
    let summary = (words.shown)(
        &number::count(first),
        &number::count(last),
        &number::count(page.total),
    );
    let previous = (page.page > 1).then(|| list.with_page(page.page - 1).href());
    let next = (page.page < page.pages).then(|| list.with_page(page.page + 1).href());
    view! {
        <FunctionTable list rows=page.rows/>
        <Pagination summary previous next/>
    }
    .into_any()
}
