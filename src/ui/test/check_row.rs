//! A row of a check: one recorded request on the draft.

use leptos::prelude::*;

use super::comparison::Comparison;
use crate::api::observe::get_execution;
use crate::model::execution::Execution;
use crate::model::id::ExecutionId;
use crate::model::replay::{Alteration, Altered, CheckRow, CheckedRun, Verdict};
use crate::ui::i18n::{number, use_i18n};
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::{Size, Weight, button_class};
use crate::ui::widgets::load::Load;
use crate::ui::widgets::status::StatusCode;

/// Columns of the check's table.
const COLUMNS: &str = "5";

/// A request and what came of it; the comparison, or why there is none, opens under it.
#[component]
pub fn CheckedRequest(
    context: FunctionContext,
    row: CheckRow,
    opened: RwSignal<Option<ExecutionId>>,
) -> impl IntoView {
    let words = &use_i18n().function.replay;
    let own = row.original.id.clone();
    let is_open = Memo::new(move |_| opened.with(|opened| opened.as_ref() == Some(&own)));
    let id = row.original.id.clone();
    let press = move |_| opened.set((!is_open.get_untracked()).then(|| id.clone()));
    let replay = match &row.verdict {
        Verdict::Same { replay } | Verdict::Different { replay, .. } => Some(ran(replay)),
        Verdict::NotRepeatable { .. } | Verdict::NotRun { .. } => None,
    };
    let open = if replay.is_some() {
        words.compare
    } else {
        words.why
    };
    let label = move || if is_open.get() { words.close } else { open };
    let (original, verdict) = (row.original.id.clone(), row.verdict.clone());
    let detail = move || {
        let detail =
            || view! { <RowDetail context original=original.clone() verdict=verdict.clone()/> };
        is_open
            .get()
            .then(|| view! { <tr class="table__detail"><td colspan=COLUMNS>{detail()}</td></tr> })
    };
    let query = (!row.query.is_empty()).then(|| format!("?{}", row.query));
    let without = left_out(&row.altered).map(|names| (words.without)(&names));
    view! {
        <tr class=move || is_open.get().then_some("table__row--open")>
            <td class="checked__request">
                <span class="mono second"><span class="method">{row.method}</span> " " {row.path} {query}</span>
                {without.map(|text| view! { <span class="table__sub">{text}</span> })}
            </td>
            <td class="nowrap col-wide">{ran(&row.original)}</td>
            <td class="nowrap">{replay}</td>
            <td class="nowrap">{verdict_word(&row.verdict)}</td>
            <td class="num">
                <button type="button" class=button_class(Weight::Ghost, Size::Small) aria-expanded=move || is_open.get().to_string() on:click=press>{label}</button>
            </td>
        </tr>
        {detail}
    }
}

fn verdict_word(verdict: &Verdict) -> impl IntoView + use<> {
    let words = &use_i18n().function.replay;
    let (class, word) = match verdict {
        Verdict::Same { .. } => ("ok", words.row_same.to_owned()),
        Verdict::Different { differences, .. } => ("warn", (words.differences)(*differences)),
        Verdict::NotRepeatable { .. } => ("muted", words.row_not_repeatable.to_owned()),
        Verdict::NotRun { .. } => ("bad", words.row_not_run.to_owned()),
    };
    view! { <span class=class>{word}</span> }
}

#[component]
fn RowDetail(context: FunctionContext, original: ExecutionId, verdict: Verdict) -> impl IntoView {
    let detail = match verdict {
        Verdict::Same { replay } | Verdict::Different { replay, .. } => {
            view! { <Pair context original replay=replay.id/> }.into_any()
        }
        Verdict::NotRepeatable { reason, .. } | Verdict::NotRun { reason } => {
            view! { <p>{reason}</p> }.into_any()
        }
    };
    view! { <div class="comparison__row">{detail}</div> }
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
fn Pair(context: FunctionContext, original: ExecutionId, replay: ExecutionId) -> impl IntoView {
    let (workspace, function) = (context.workspace(), context.function());
    let both = Resource::new(
        move || (original.clone(), replay.clone()),
        move |(original, replay)| {
            let (workspace, function) = (workspace.clone(), function.clone());
            async move {
                let before = get_execution(workspace.clone(), function.clone(), original).await?;
                let after = get_execution(workspace, function, replay).await?;
                Ok((before, after))
            }
        },
    );
    let comparison = |(before, after): (Execution, Execution)| view! { <Comparison before after/> };
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
