//! Two versions against each other.

use leptos::prelude::*;
use serde::Deserialize as _;
use serde_json::Value;

use crate::model::diff::{DiffLine, Hunk, Side};
use crate::model::function::InstanceReuse;
use crate::model::version::{Change, FieldChange, FileChange, NameChanges, VersionDiff};
use crate::ui::editor::diff::diff_view;
use crate::ui::i18n::function::versions::VersionMessages;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::card::Card;

#[component]
pub fn DiffCards(diff: VersionDiff) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let title = (words.since)(diff.from, diff.to);
    if diff.is_empty() {
        return view! { <Card title><p class="card__body muted">{words.same}</p></Card> }
            .into_any();
    }
    let settings = settings_rows(&diff, words);
    let files = diff
        .files
        .into_iter()
        .map(|file| view! { <FileDiff file/> })
        .collect_view();
    view! {
        <Card title>
            <div class="card__body stack">
                {(!settings.is_empty()).then(|| view! { <SettingsDiff rows=settings/> })}
                {files}
            </div>
        </Card>
    }
    .into_any()
}

/// A setting, before and after; empty where there was none.
type SettingRow = (String, String, String);

fn settings_rows(diff: &VersionDiff, words: &VersionMessages) -> Vec<SettingRow> {
    let mut rows: Vec<SettingRow> = diff
        .configuration
        .iter()
        .map(|field| field_row(field, words))
        .collect();
    rows.extend(name_rows(
        &diff.environment,
        words.variable,
        words.a_value,
        words,
    ));
    rows.extend(name_rows(
        &diff.allowed_outbound_hosts,
        words.host,
        words.there,
        words,
    ));
    rows
}

fn field_row(change: &FieldChange, words: &VersionMessages) -> SettingRow {
    let (name, unit) = match change.field.as_str() {
        "memory" => (words.memory, " MB"),
        "timeout" => (words.timeout, " s"),
        "http_methods" => (words.methods, ""),
        "instance_reuse" => (words.instances, ""),
        other => (other, ""),
    };
    let text = |value: &Value| match (value, InstanceReuse::deserialize(value)) {
        (_, Ok(reuse)) => reuse.slot().map_or_else(
            || words.fresh_instances.to_owned(),
            |slot| (words.kept_instances)(slot.max_requests(), slot.max_age()),
        ),
        (Value::Array(entries), _) => {
            let entries: Vec<&str> = entries.iter().filter_map(Value::as_str).collect();
            entries.join(", ")
        }
        (other, _) => format!("{other}{unit}"),
    };
    (name.to_owned(), text(&change.old), text(&change.new))
}

fn name_rows(
    changes: &NameChanges,
    name: fn(&str) -> String,
    present: &str,
    words: &VersionMessages,
) -> Vec<SettingRow> {
    let row = |text: &String, before: &str, after: &str| {
        (name(text), before.to_owned(), after.to_owned())
    };
    let removed = changes.removed.iter().map(|text| row(text, present, ""));
    let other = changes.changed.iter();
    let other = other.map(|text| row(text, present, words.other_value));
    let added = changes.added.iter().map(|text| row(text, "", present));
    removed.chain(other).chain(added).collect()
}

#[component]
fn SettingsDiff(rows: Vec<SettingRow>) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let none = use_i18n().widgets.none;
    let or_none = move |text: String| {
        if text.is_empty() {
            none.to_owned()
        } else {
            text
        }
    };
    let rows = rows
        .into_iter()
        .map(|(name, before, after)| {
            view! {
                <tr>
                    <td>{name}</td>
                    <td>{or_none(before)}</td>
                    <td>{or_none(after)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="difference">
            <h3>{words.settings}</h3>
            <div class="table-wrap">
                <table class="table">
                    <thead>
                        <tr><th scope="col">{words.setting}</th><th scope="col">{words.before}</th><th scope="col">{words.after}</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

#[component]
fn FileDiff(file: FileChange) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let (class, label) = match file.change {
        Change::Added => ("badge badge--success", words.file_added),
        Change::Removed => ("badge badge--danger", words.file_removed),
        Change::Changed => ("badge", words.file_changed),
    };
    let content = match &file.hunks {
        Some(hunks) => diff_view(&lines_of(hunks)).into_any(),
        None => view! { <p class="muted">{words.no_text}</p> }.into_any(),
    };
    view! {
        <section class="difference">
            <h3><span class="mono">{file.path}</span> " " <span class=class>{label}</span></h3>
            {content}
        </section>
    }
}

/// With a gap before each hunk that is not the first of its file.
fn lines_of(hunks: &[Hunk]) -> Vec<DiffLine<'_>> {
    let mut lines = Vec::new();
    for hunk in hunks {
        if hunk.old_start > 1 || hunk.new_start > 1 {
            lines.push((Side::Gap, ""));
        }
        lines.extend(
            hunk.lines
                .iter()
                .map(|line| (line.side, line.text.as_str())),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::function::SlotReuse;
    use crate::ui::i18n::function::ENGLISH;

    #[test]
    fn each_setting_that_differs_is_a_row_without_values_of_variables() {
        let diff = VersionDiff {
            from: 1,
            to: 2,
            files: Vec::new(),
            configuration: vec![
                FieldChange {
                    field: "http_methods".to_owned(),
                    old: serde_json::json!(["GET"]),
                    new: serde_json::json!(["GET", "POST"]),
                },
                FieldChange {
                    field: "instance_reuse".to_owned(),
                    old: serde_json::json!(InstanceReuse::None),
                    new: serde_json::json!(InstanceReuse::PerSlot(SlotReuse::DEFAULT)),
                },
            ],
            environment: NameChanges {
                added: vec!["A".to_owned()],
                removed: Vec::new(),
                changed: vec!["B".to_owned()],
            },
            allowed_outbound_hosts: NameChanges::default(),
        };
        let rows = settings_rows(&diff, &ENGLISH.versions);
        let told: Vec<String> = rows
            .into_iter()
            .map(|(name, before, after)| format!("{name}: {before} → {after}"))
            .collect();
        assert_eq!(
            told,
            [
                "Methods: GET → GET, POST",
                "Instances: one a request → kept for 1000 requests or 600 s",
                "Variable B: a value → another value",
                "Variable A:  → a value"
            ]
        );
    }
}
