//! A version of a function, and what it has other than another one.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::context::{FunctionContext, FunctionTab, refetch_after, use_function_ids};
use super::frame::FunctionFrame;
use crate::api::versions::{DeployVersion, MarkVersion, VersionPage, version_page};
use crate::model::error::Error;
use crate::model::version::VersionView;
use crate::ui::deploy::version_diff::DiffCards;
use crate::ui::deploy::version_facts::{MarksForm, VersionFacts, VersionSource};
use crate::ui::deploy::versions_table::{DeployVersionForm, Marks};
use crate::ui::i18n::use_i18n;
use crate::ui::pages::use_query;
use crate::ui::widgets::load::Load;
use crate::ui::widgets::notice::{FormError, action_failure};

/// The number in the address; an error when it is none.
fn use_version() -> Memo<Result<u32, Error>> {
    let params = use_params_map();
    Memo::new(move |_| {
        let text = params.with(|params| params.get("version"));
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| Error::not_found("version", "of this address"))
    })
}

#[component]
pub fn VersionTab() -> impl IntoView {
    let ids = use_function_ids();
    let version = use_version();
    let against = use_query("against");
    let page = Resource::new(
        move || (ids.get(), version.get(), against.get()),
        |(ids, version, against)| async move {
            let (workspace, function) = ids?;
            let against = against.and_then(|text| text.parse().ok());
            version_page(workspace, function, version?, against).await
        },
    );
    let body = move |context| view! { <VersionBody context page/> }.into_any();
    view! { <FunctionFrame tab=FunctionTab::Deploy body/> }
}

#[component]
fn VersionBody(
    context: FunctionContext,
    page: Resource<Result<VersionPage, Error>>,
) -> impl IntoView {
    let (deploy, mark) = (ServerAction::new(), ServerAction::new());
    context.refresh_after(deploy);
    refetch_after(deploy, page);
    refetch_after(mark, page);
    view! { <Load resource=page children=move |page| view! { <Loaded context page deploy mark/> }/> }
}

#[component]
fn Loaded(
    context: FunctionContext,
    page: VersionPage,
    deploy: ServerAction<DeployVersion>,
    mark: ServerAction<MarkVersion>,
) -> impl IntoView {
    let version = page.version.view;
    let against = page.diff.as_ref().map(|diff| diff.from);
    let (facts, marks) = (version.clone(), version.clone());
    view! {
        <VersionHead context version=version.clone() deploy/>
        <CompareForm context version=version.version.number versions=page.versions against/>
        {page.diff.map(|diff| view! { <DiffCards diff/> })}
        <div class="split split--side">
            <div class="stack"><VersionSource entry=page.version.entry files=page.version.files/></div>
            <aside class="stack">
                <VersionFacts context version=facts/>
                <MarksForm context version=marks mark/>
            </aside>
        </div>
    }
}

#[component]
fn VersionHead(
    context: FunctionContext,
    version: VersionView,
    deploy: ServerAction<DeployVersion>,
) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let failed = action_failure(deploy);
    let number = version.version.number;
    let serving = context
        .detail
        .with_untracked(|detail| detail.function.deployed_version)
        .filter(|_| !version.serving);
    view! {
        <div class="toolbar">
            <h2>{(words.version)(number)}</h2>
            <Marks version/>
            <span class="toolbar__end">
                {serving.map(|serving| view! { <DeployVersionForm context version=number serving deploy/> })}
            </span>
        </div>
        <FormError error=failed/>
    }
}

/// A plain form: the answer is this page under another address.
#[component]
fn CompareForm(
    context: FunctionContext,
    version: u32,
    versions: Vec<VersionView>,
    against: Option<u32>,
) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let numbers = versions.into_iter().map(|view| view.version.number);
    let options = numbers
        .filter(|number| *number != version)
        .map(|number| {
            view! { <option value=number.to_string() selected=Some(number) == against>{format!("v{number}")}</option> }
        })
        .collect_view();
    view! {
        <form class="toolbar" method="get" action=context.version_path(version)>
            <label for="compare-against">{words.against}</label>
            <select class="select" id="compare-against" name="against">
                <option value="">{words.nothing}</option>
                {options}
            </select>
            <button type="submit" class="button">{words.show}</button>
        </form>
    }
}
