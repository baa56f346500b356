//! The last recorded requests on the draft, before it is deployed.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::comparison::Comparison;
use crate::api::observe::get_execution;
use crate::api::replays::CheckDraft;
use crate::model::execution::Execution;
use crate::model::id::ExecutionId;
use crate::model::replay::{Alteration, Altered, Check, CheckRow, CheckedRun, Verdict};
use crate::ui::i18n::{number, use_i18n};
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::{Size, SubmitButton, Weight, button_class};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::load::Load;
use crate::ui::widgets::notice::{FormError, action_error};
use crate::ui::widgets::status::StatusCode;

const COLUMNS: &str = "5";

#[component]
pub fn CheckPanel(context: FunctionContext, code: Signal<String>) -> impl IntoView {
    let words = &use_i18n().function.replay;
    let check = ServerAction::<CheckDraft>::new();
    let error = action_error(check);
    let failed = Signal::derive(move || error.get().map(|error| error.message));
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
    let left = (found.not_repeatable + found.not_run > 0)
        .then(|| (words.check_left)(found.not_repeatable, found.not_run));
    let opened = RwSignal::new(None::<(ExecutionId, ExecutionId)>);
    let rows = check
        .rows
        .into_iter()
        .map(|row| view! { <ResultRow context row opened/> })
        .collect_view();
    view! {
        <p class="card__body"><strong class=class>{total}</strong> " " <span class="muted">{left}</span></p>
        <div class="table-wrap">
            <table class="table">
                <caption class="sr">{words.check_table}</caption>
                <thead>
                    <tr>
                        <th scope="col" class="col-fill">{words.column_request}</th>
                        <th scope="col">{words.column_recorded}</th>
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

/// A request and what came of it; the comparison opens under it.
#[component]
fn ResultRow(
    context: FunctionContext,
    row: CheckRow,
    opened: RwSignal<Option<(ExecutionId, ExecutionId)>>,
) -> impl IntoView {
    let words = &use_i18n().function.replay;
    let (result, reason) = match &row.verdict {
        Verdict::Same { .. } => (
            view! { <span class="ok">{words.row_same}</span> }.into_any(),
            None,
        ),
        Verdict::Different { differences, .. } => {
            let text = (words.differences)(*differences);
            (view! { <span class="warn">{text}</span> }.into_any(), None)
        }
        Verdict::NotRepeatable { reason, .. } => {
            let word = view! { <span class="muted">{words.row_not_repeatable}</span> };
            (word.into_any(), Some(reason.clone()))
        }
        Verdict::NotRun { reason } => {
            let word = view! { <span class="bad">{words.row_not_run}</span> };
            (word.into_any(), Some(reason.clone()))
        }
    };
    let replay = match &row.verdict {
        Verdict::Same { replay } | Verdict::Different { replay, .. } => Some(replay.clone()),
        Verdict::NotRepeatable { .. } | Verdict::NotRun { .. } => None,
    };
    let pair = replay
        .as_ref()
        .map(|replay| (row.original.id.clone(), replay.id.clone()));
    let own = pair.clone();
    let is_open = Memo::new(move |_| own.is_some() && opened.with(|opened| *opened == own));
    let toggle = pair.clone().map(|pair| {
        let press = move |_| opened.set((!is_open.get_untracked()).then(|| pair.clone()));
        let label = move || if is_open.get() { words.compare_close } else { words.compare };
        view! {
            <button type="button" class=button_class(Weight::Ghost, Size::Small) aria-expanded=move || is_open.get().to_string() on:click=press>{label}</button>
        }
    });
    let detail = move || {
        let pair = pair.clone().filter(|_| is_open.get())?;
        Some(view! { <tr class="table__detail"><td colspan=COLUMNS><Pair context pair/></td></tr> })
    };
    let query = (!row.query.is_empty()).then(|| format!("?{}", row.query));
    let without = left_out(&row.altered).map(|names| (words.without)(&names));
    view! {
        <tr class=move || is_open.get().then_some("table__row--open")>
            <td class="mono second checked__request">
                <span class="method">{row.method}</span> " " {row.path} {query}
                {reason.map(|reason| view! { <span class="table__sub">{reason}</span> })}
                {without.map(|text| view! { <span class="table__sub">{text}</span> })}
            </td>
            <td class="nowrap">{ran(&row.original)}</td>
            <td class="nowrap">{replay.as_ref().map(ran)}</td>
            <td>{result}</td>
            <td class="num">{toggle}</td>
        </tr>
        {detail}
    }
}

fn ran(run: &CheckedRun) -> impl IntoView + use<> {
    view! { <StatusCode code=run.status_code/> <span class="table__sub">{number::milliseconds(run.duration)}</span> }
}

/// The parts of the request that were not sent; those that were written anew say the same.
fn left_out(altered: &[Altered]) -> Option<String> {
    let names: Vec<&str> = altered
        .iter()
        .filter(|part| part.reason != Alteration::Rewritten)
        .map(|part| part.field.trim_start_matches("requestHeaders."))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Both executions, which are read when the row is opened.
#[component]
fn Pair(context: FunctionContext, pair: (ExecutionId, ExecutionId)) -> impl IntoView {
    let (workspace, function) = (context.workspace(), context.function());
    let both = Resource::new(
        move || pair.clone(),
        move |(original, replay)| {
            let (workspace, function) = (workspace.clone(), function.clone());
            async move {
                let before = get_execution(workspace.clone(), function.clone(), original).await?;
                let after = get_execution(workspace, function, replay).await?;
                Ok((before, after))
            }
        },
    );
    let comparison = |(before, after): (Execution, Execution)| view! { <div class="comparison--row"><Comparison before after/></div> };
    view! { <Load resource=both children=comparison/> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_names_what_was_not_sent() {
        let part = |field: &str, reason| Altered {
            field: field.to_owned(),
            reason,
        };
        let altered = [
            part("requestBody", Alteration::Rewritten),
            part("requestHeaders.authorization", Alteration::Masked),
            part("requestHeaders.cookie", Alteration::Masked),
        ];
        assert_eq!(left_out(&altered).as_deref(), Some("authorization, cookie"));
        assert_eq!(left_out(&altered[..1]), None);
    }
}
