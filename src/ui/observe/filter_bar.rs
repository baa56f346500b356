//! The filters above a list of executions: a form and links, so that they work without JavaScript.

use leptos::prelude::*;

use super::filter::FilterFields;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::tabs::{Segmented, Tab};

#[component]
pub fn FilterBar(path: String, fields: FilterFields) -> impl IntoView {
    let words = &use_i18n().function.executions;
    let option = |status: &str, label: &'static str| Tab {
        href: fields.with_status(status).href(&path),
        label,
        current: fields.status == status,
    };
    let options = vec![
        option("", words.all),
        option("success", words.success),
        option("error", words.error),
    ];
    let unreadable = fields
        .has_unreadable_time()
        .then(|| view! { <p class="warn">{words.invalid_time}</p> });
    let clear = fields
        .is_filtering()
        .then(|| view! { <a class="button button--ghost" href=path.clone()>{words.clear}</a> });
    let live = fields.cursor.is_empty().then(|| view! { <span class="row muted only-wide toolbar__end"><span class="live"></span>{words.live_note}</span> });
    view! {
        <form class="toolbar" method="get" action=path.clone() role="search">
            <label class="input-group">
                <Icon glyph=Glyph::Search/>
                <span class="sr">{words.search}</span>
                <input class="input" type="search" name="q" value=fields.q.clone() placeholder=words.search_hint/>
            </label>
            <Segmented label=words.result options/>
            {(!fields.status.is_empty()).then(|| view! { <input type="hidden" name="status" value=fields.status.clone()/> })}
            <input class="input toolbar__short" type="number" name="code" min="0" max="599" value=fields.code.clone() placeholder=words.any_code aria-label=words.code/>
            <label class="row"><span class="muted">{words.from}</span><input class="input toolbar__time" type="datetime-local" name="from" value=fields.from.clone()/></label>
            <label class="row"><span class="muted">{words.to}</span><input class="input toolbar__time" type="datetime-local" name="to" value=fields.to.clone()/></label>
            <button type="submit" class="button">{words.apply}</button>
            {clear}
            {live}
        </form>
        {unreadable}
    }
}
