//! The calls made in this tab, newest first.

use leptos::prelude::*;

use crate::model::execution::Execution;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::button::{Size, Weight, button_class};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::relative_time::RelativeTime;
use crate::ui::widgets::status::StatusCode;

#[component]
pub fn TestHistory(
    calls: RwSignal<Vec<Execution>>,
    shown: RwSignal<Option<Execution>>,
) -> impl IntoView {
    let words = &use_i18n().function.test;
    let clear = move || {
        (!calls.with(Vec::is_empty))
            .then(|| view! { <button type="button" class=button_class(Weight::Ghost, Size::Small) on:click=move |_| calls.set(Vec::new())>{words.clear}</button> })
    };
    view! {
        <Card title=words.history end=move || clear>
            {move || {
                if calls.with(Vec::is_empty) {
                    view! { <p class="card__body muted">{words.history_empty}</p> }.into_any()
                } else {
                    view! { <CallTable calls shown/> }.into_any()
                }
            }}
        </Card>
    }
}

#[component]
fn CallTable(calls: RwSignal<Vec<Execution>>, shown: RwSignal<Option<Execution>>) -> impl IntoView {
    let words = &use_i18n().function.test;
    view! {
        <div class="table-wrap">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col" class="col-fill">{words.column_request}</th>
                        <th scope="col">{words.column_code}</th>
                        <th scope="col" class="num">{words.column_duration}</th>
                        <th scope="col" class="num">{words.column_when}</th>
                        <th scope="col"><span class="sr">{words.column_actions}</span></th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || calls.get() key=|call| call.id.clone() let:call>
                        <CallRow call shown/>
                    </For>
                </tbody>
            </table>
        </div>
    }
}

#[component]
fn CallRow(call: Execution, shown: RwSignal<Option<Execution>>) -> impl IntoView {
    let own = call.clone();
    view! {
        <tr>
            <td class="mono"><span class="method">{call.method}</span> " " {call.path}</td>
            <td><StatusCode code=call.status_code/></td>
            <td class="num">{number::milliseconds(call.duration)}</td>
            <td class="num muted"><RelativeTime at=call.timestamp/></td>
            <td class="num">
                <button type="button" class=button_class(Weight::Ghost, Size::Small) on:click=move |_| shown.set(Some(own.clone()))>{use_i18n().function.test.show}</button>
            </td>
        </tr>
    }
}
