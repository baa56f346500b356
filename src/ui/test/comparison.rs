//! Two answers to one request, side by side: what was recorded, and what another version or a draft gives.

use leptos::prelude::*;

use crate::model::comparison::{BodyChange, BodyLine, Differences};
use crate::model::diff::Side;
use crate::model::execution::Execution;
use crate::ui::i18n::function::replay::ReplayMessages;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::status::StatusCode;

/// Both answers, with what differs marked.
#[component]
pub fn Comparison(before: Execution, after: Execution) -> impl IntoView {
    let words = &use_i18n().function.replay;
    let found = Differences::between(&before, &after);
    let verdict = match found.count() {
        0 => view! { <span class="ok">{words.same}</span> }.into_any(),
        count => view! { <span class="warn">{(words.differences)(count)}</span> }.into_any(),
    };
    let body = found.body.clone().map_or_else(
        || view! { <p class="muted">{words.body_same}</p> }.into_any(),
        |change| view! { <BodySides change/> }.into_any(),
    );
    let incomplete = found.incomplete;
    view! {
        <section class="comparison stack stack--s" aria-live="polite">
            <div class="row row--between row--wrap"><h2>{words.comparison}</h2> {verdict}</div>
            <Facts before after found/>
            <h3>{words.body}</h3>
            {body}
            {incomplete.then(|| view! { <p class="field__hint">{words.incomplete}</p> })}
        </section>
    }
}

/// What ran: a version, a draft, or what was recorded without a version.
fn side_label(run: &Execution, words: &ReplayMessages) -> String {
    match (run.trigger.is_aside(), run.version) {
        (false, Some(version)) => (words.recorded_on)(version),
        (false, None) => words.recorded.to_owned(),
        (true, Some(version)) => (words.on_version)(version),
        (true, None) => words.on_draft.to_owned(),
    }
}

/// Status, times and the headers that differ, a row each.
#[component]
fn Facts(before: Execution, after: Execution, found: Differences) -> impl IntoView {
    let words = &use_i18n().function.replay;
    let code = |run: &Execution| view! { <StatusCode code=run.status_code/> }.into_any();
    let text = |text: String| text.into_any();
    let values = |values: &[String]| {
        if values.is_empty() {
            view! { <span class="muted">{words.absent}</span> }.into_any()
        } else {
            view! { <span class="mono">{values.join(", ")}</span> }.into_any()
        }
    };
    let headers = found
        .headers
        .iter()
        .map(|header| {
            let name = (words.header)(&header.name);
            let sides = (values(&header.values.before), values(&header.values.after));
            fact(name, true, sides)
        })
        .collect_view();
    let status = found.status.is_some();
    view! {
        <table class="table comparison__facts">
            <thead>
                <tr>
                    <th scope="col"><span class="sr">{words.what}</span></th>
                    <th scope="col">{side_label(&before, words)}</th>
                    <th scope="col">{side_label(&after, words)}</th>
                </tr>
            </thead>
            <tbody>
                {fact(words.status.to_owned(), status, (code(&before), code(&after)))}
                {fact(words.duration.to_owned(), false, (text(number::milliseconds(before.duration)), text(number::milliseconds(after.duration))))}
                {fact(words.size.to_owned(), false, (text(number::bytes(before.response_size)), text(number::bytes(after.response_size))))}
                {headers}
            </tbody>
        </table>
    }
}

/// A row; the sign says without colour that its sides differ.
fn fact(label: String, differs: bool, (before, after): (AnyView, AnyView)) -> impl IntoView {
    let words = &use_i18n().function.replay;
    let sign = differs.then(|| view! { " " <span class="warn" aria-hidden="true">"≠"</span> <span class="sr">{words.differs}</span> });
    let class = |side| differs.then_some(side);
    view! {
        <tr>
            <th scope="row">{label} {sign}</th>
            <td class=class("comparison__old")>{before}</td>
            <td class=class("comparison__new")>{after}</td>
        </tr>
    }
}

#[component]
fn BodySides(change: BodyChange) -> impl IntoView {
    let words = &use_i18n().function.replay;
    if change.lines.is_empty() {
        return view! { <p class="warn">{words.body_beyond}</p> }.into_any();
    }
    let rows = pairs(&change.lines)
        .into_iter()
        .map(|(old, new)| {
            let is_common = old == new;
            view! {
                <div class="sides__row">
                    {side(old, "sides__old")}
                    {side(new, if is_common { "sides__common" } else { "sides__new" })}
                </div>
            }
        })
        .collect_view();
    view! { <div class="code sides" tabindex="0" role="group" aria-label=words.body>{rows}</div> }
        .into_any()
}

fn side(line: Option<&BodyLine>, class: &'static str) -> impl IntoView + use<> {
    let (mark, sign) = match line.map(|line| line.side) {
        None => ("sides__none", ""),
        Some(Side::Both) => ("", " "),
        Some(Side::Old) => ("bad", "-"),
        Some(Side::New) => ("good", "+"),
        Some(Side::Gap) => ("muted", "…"),
    };
    let text = line.map(|line| line.text.clone()).unwrap_or_default();
    view! { <div class=format!("{class} {mark}")><span>{sign}</span> <span>{text}</span></div> }
}

/// Lines beside each other: what both have, and the lines of a change as far as there are as many.
fn pairs(lines: &[BodyLine]) -> Vec<(Option<&BodyLine>, Option<&BodyLine>)> {
    let mut rows = Vec::new();
    for run in lines.chunk_by(|a, b| is_change(a) == is_change(b)) {
        if !run.first().is_some_and(is_change) {
            rows.extend(run.iter().map(|line| (Some(line), Some(line))));
            continue;
        }
        let of = |side| run.iter().filter(move |line| line.side == side);
        let (mut old, mut new) = (of(Side::Old), of(Side::New));
        loop {
            let row = (old.next(), new.next());
            if row == (None, None) {
                break;
            }
            rows.push(row);
        }
    }
    rows
}

fn is_change(line: &BodyLine) -> bool {
    matches!(line.side, Side::Old | Side::New)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diff::diff_lines;

    #[test]
    fn changed_lines_stand_beside_each_other() {
        let lines: Vec<BodyLine> = diff_lines("a\nb\nc\nd", "a\nX\nY\nZ\nd")
            .into_iter()
            .map(|(side, text)| BodyLine {
                side,
                text: text.to_owned(),
            })
            .collect();
        let told: Vec<(&str, &str)> = pairs(&lines)
            .into_iter()
            .map(|(old, new)| {
                (
                    old.map_or("", |line| line.text.as_str()),
                    new.map_or("", |line| line.text.as_str()),
                )
            })
            .collect();
        assert_eq!(
            told,
            [("a", "a"), ("b", "X"), ("c", "Y"), ("", "Z"), ("d", "d")]
        );
    }
}
