//! Functions as rows.

use leptos::prelude::*;

use super::function_list::FunctionList;
use crate::model::function::{FunctionRow, FunctionSort, FunctionStatus};
use crate::ui::i18n::functions::FunctionsMessages;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::menu::{MenuLink, RowMenu};
use crate::ui::widgets::relative_time::{MaybeTime, RelativeTime};
use crate::ui::widgets::status::{Status, StatusLook, error_rate_class, of_function};
use crate::ui::widgets::table::{SortHeader, TableWrap};
use crate::ui::widgets::ticks::Ticks;

/// The forms that the rows' buttons submit, one for each action on a page.
pub const ENABLE_FORM: &str = "enable-function";
pub const DISABLE_FORM: &str = "disable-function";
pub const DUPLICATE_FORM: &str = "duplicate-function";

#[component]
pub fn FunctionTable(list: FunctionList, rows: Vec<FunctionRow>) -> impl IntoView {
    let words = &use_i18n().functions;
    let head = |label: &'static str, sort: FunctionSort, class: &'static str| {
        view! { <SortHeader label href=list.sorted_by(sort).href() state=list.sort_state(sort) class/> }
    };
    let heads = view! {
        {head(words.name, FunctionSort::Name, "col-main")}
        <th scope="col" class="col-wide col-xl">{words.runtime}</th>
        {head(words.status, FunctionSort::Status, "col-wide")}
        <th scope="col" class="col-wide col-l">{words.last_24h}</th>
        {head(words.invocations, FunctionSort::Invocations, "num")}
        {head(words.errors, FunctionSort::ErrorRate, "num col-wide")}
        {head(words.average, FunctionSort::Duration, "num col-wide")}
        {head(words.modified, FunctionSort::LastModified, "col-wide col-l")}
        {head(words.deployed, FunctionSort::LastDeployed, "col-wide col-xl")}
        <th class="col-menu" scope="col"><span class="sr">{words.actions}</span></th>
    };
    view! {
        <TableWrap>
            <table class="table table--two">
                <thead><tr>{heads}</tr></thead>
                <tbody>{rows.into_iter().map(|row| view! { <Row list=list.clone() row/> }).collect_view()}</tbody>
            </table>
        </TableWrap>
    }
}

#[component]
fn Row(list: FunctionList, row: FunctionRow) -> impl IntoView {
    let i18n = use_i18n();
    let words = &i18n.functions;
    let FunctionRow { function, series } = row;
    let (shape, label) = of_function(&function, &i18n.widgets);
    let href = format!(
        "/workspaces/{}/functions/{}",
        function.workspace_id, function.id
    );
    let description = function
        .description
        .as_ref()
        .map(ToString::to_string)
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| words.no_description.to_owned());
    let called = function.invocations_24h > 0;
    let rate = if called {
        function.errors_24h as f64 * 100.0 / function.invocations_24h as f64
    } else {
        0.0
    };
    let none = || i18n.widgets.none.to_owned();
    let (rate_text, average) = if called {
        (
            number::percent(rate),
            number::milliseconds(function.avg_duration),
        )
    } else {
        (none(), none())
    };
    view! {
        <tr>
            <td class="col-main">
                <div>
                    <a class="table__name" href=href.clone()>{function.name.to_string()}</a>
                    <span class="table__sub truncate only-wide">{description}</span>
                    <span class="only-small"><Status shape label look=StatusLook::Bare/></span>
                </div>
            </td>
            <td class="col-wide col-xl second nowrap">{function.runtime.clone()}</td>
            <td class="col-wide"><Status shape label/></td>
            <td class="col-wide col-l"><Ticks series/></td>
            <td class="num">{number::count(function.invocations_24h)}</td>
            <td class=format!("num col-wide {}", error_rate_class(rate))>{rate_text}</td>
            <td class="num col-wide">{average}</td>
            <td class="col-wide col-l muted nowrap"><RelativeTime at=function.last_modified/></td>
            <td class="col-wide col-xl muted nowrap"><MaybeTime at=function.last_deployed/></td>
            <td class="col-menu">
                <RowMenu label=(words.actions_for)(function.name.as_str())>
                    <MenuLink href=href.clone() label=words.open/>
                    <MenuLink href=format!("{href}/test") label=words.test glyph=Glyph::Play/>
                    <MenuLink href=format!("{href}/deploy") label=words.deploy glyph=Glyph::Deploy/>
                    {form_buttons(function.status == FunctionStatus::Disabled, function.id.as_str(), words)}
                    <hr class="menu__rule"/>
                    <MenuLink href=list.href_with(&[("dialog", "delete"), ("function", function.id.as_str())]) label=words.delete glyph=Glyph::Trash danger=true/>
                </RowMenu>
            </td>
        </tr>
    }
}

/// Buttons that submit a form of the page with this function's id.
fn form_buttons(
    disabled: bool,
    function: &str,
    words: &'static FunctionsMessages,
) -> impl IntoView + use<> {
    let (form, label) = if disabled {
        (ENABLE_FORM, words.enable)
    } else {
        (DISABLE_FORM, words.disable)
    };
    let button = |form: &'static str, label: &'static str, glyph: Glyph| {
        view! { <button type="submit" class="menu__item" form=form name="function" value=function.to_owned()><Icon glyph/>{label}</button> }
    };
    (
        button(form, label, Glyph::Power),
        button(DUPLICATE_FORM, words.duplicate, Glyph::Copy),
    )
}
