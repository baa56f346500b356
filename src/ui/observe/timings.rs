//! Where the time of a function's newest calls went.

use leptos::prelude::*;

use crate::model::metrics::{Quantiles, Timings};
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::table::TableWrap;

#[component]
pub fn TimingsCard(timings: Timings) -> impl IntoView {
    let words = &use_i18n().function.metrics;
    let time = |label, hint, quantiles| (label, hint, quantiles, Told::Milliseconds);
    let rows = [
        time(words.queue, words.queue_hint, timings.queue),
        time(words.start, words.start_hint, timings.start),
        time(words.run, words.run_hint, timings.run),
        time(words.in_all, "", timings.duration),
        time(words.cpu_time, "", timings.cpu),
        (words.memory, "", timings.memory_mb, Told::Megabytes),
        (
            words.page_faults,
            words.page_faults_hint,
            timings.page_faults,
            Told::Count,
        ),
    ];
    let body = if timings.executions == 0 {
        view! { <div class="card__body"><p class="muted">{words.timings_none}</p></div> }.into_any()
    } else {
        view! {
            <TableWrap>
                <table class="table">
                    <caption class="sr">{words.timings_label}</caption>
                    <thead>
                        <tr><th scope="col">{words.column_part}</th><th scope="col" class="num">{words.p50}</th><th scope="col" class="num">{words.p95}</th></tr>
                    </thead>
                    <tbody>{rows.map(|(label, hint, quantiles, told)| view! { <Row label hint quantiles told/> }).collect_view()}</tbody>
                </table>
            </TableWrap>
        }
        .into_any()
    };
    view! {
        <Card title=words.timings_title end=move || view! { <span class="muted">{(words.timings_note)(timings.executions)}</span> }>{body}</Card>
    }
}

#[derive(Clone, Copy)]
enum Told {
    Milliseconds,
    Megabytes,
    Count,
}

impl Told {
    fn tell(self, value: f64) -> String {
        match self {
            Self::Milliseconds => number::milliseconds(value),
            Self::Megabytes => format!("{} MB", number::decimal(value, 1)),
            Self::Count => number::count(value as u64),
        }
    }
}

#[component]
fn Row(label: &'static str, hint: &'static str, quantiles: Quantiles, told: Told) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">{label} " " <span class="muted">{hint}</span></th>
            <td class="num">{told.tell(quantiles.p50)}</td>
            <td class="num">{told.tell(quantiles.p95)}</td>
        </tr>
    }
}
