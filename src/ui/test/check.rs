//! The last recorded requests on the draft, before it is deployed.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::check_row::CheckedRequest;
use crate::api::replays::CheckDraft;
use crate::model::id::ExecutionId;
use crate::model::replay::Check;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::SubmitButton;
use crate::ui::widgets::card::Card;
use crate::ui::widgets::notice::{FormError, action_failure};

#[component]
pub fn CheckPanel(context: FunctionContext, code: Signal<String>) -> impl IntoView {
    let words = &use_i18n().function.replay;
    let check = ServerAction::<CheckDraft>::new();
    let failed = action_failure(check);
    let value = check.value();
    let results = move || match value.get() {
        Some(Ok(check)) => view! { <Results context check/> }.into_any(),
        _ => ().into_any(),
    };
    view! {
        <Card title=words.check>
            <ActionForm action=check attr:class="card__body form">
                <input type="hidden" name="workspace" value=context.workspace().to_string()/>
                <input type="hidden" name="function" value=context.function().to_string()/>
                <input type="hidden" name="code" prop:value=code/>
                <FormError error=failed/>
                <p class="muted">{words.check_hint}</p>
                <div class="row row--wrap">
                    <SubmitButton label=words.check_run busy=check.pending()/>
                    <label class="check"><input type="checkbox" name="all" value="yes"/> {words.check_all}</label>
                </div>
            </ActionForm>
            <div aria-live="polite">{results}</div>
        </Card>
    }
}

#[component]
fn Results(context: FunctionContext, check: Check) -> impl IntoView {
    let words = &use_i18n().function.replay;
    if check.rows.is_empty() {
        let text = (words.check_none)(check.summary.looked_at);
        return view! { <p class="card__body muted">{text}</p> }.into_any();
    }
    let found = &check.summary;
    let class = if found.different > 0 { "warn" } else { "ok" };
    let total = (words.check_summary)(found.same, found.different);
    let left = [
        (found.not_repeatable, words.check_not_repeatable),
        (found.not_run, words.check_not_run),
    ];
    let left = left
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, text)| text(count))
        .collect::<Vec<_>>()
        .join(", ");
    let opened = RwSignal::new(None::<ExecutionId>);
    let rows = check
        .rows
        .into_iter()
        .map(|row| view! { <CheckedRequest context row opened/> })
        .collect_view();
    view! {
        <p class="card__body"><strong class=class>{total}</strong> " " <span class="muted">{left}</span></p>
        <div class="table-wrap">
            <table class="table">
                <caption class="sr">{words.check_table}</caption>
                <thead>
                    <tr>
                        <th scope="col" class="col-fill">{words.column_request}</th>
                        <th scope="col" class="col-wide">{words.column_recorded}</th>
                        <th scope="col">{words.column_draft}</th>
                        <th scope="col">{words.column_result}</th>
                        <th scope="col"><span class="sr">{words.column_actions}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
