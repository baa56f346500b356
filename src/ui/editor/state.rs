//! What an editor holds, for the page around it: its text, what is saved of it, what is wrong with it.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

use super::edit;
use crate::api::functions::diagnose_code;
use crate::model::source::{Diagnostic, Severity};

/// How long typing has to rest before the code is looked at.
const REST: Duration = Duration::from_millis(400);

#[derive(Clone, Copy)]
pub struct EditorState {
    /// With line breaks as `\n`, as a textarea has them.
    pub text: RwSignal<String>,
    /// The text without unsaved changes.
    pub saved: RwSignal<String>,
    pub diagnostics: RwSignal<Vec<Diagnostic>>,
    /// Line and column of the cursor, counted from 1.
    pub position: RwSignal<(usize, usize)>,
    pub(super) area: NodeRef<html::Textarea>,
}

impl EditorState {
    pub fn new(code: &str) -> Self {
        let text = code.replace("\r\n", "\n");
        Self {
            text: RwSignal::new(text.clone()),
            saved: RwSignal::new(text),
            diagnostics: RwSignal::new(Vec::new()),
            position: RwSignal::new((1, 1)),
            area: NodeRef::new(),
        }
    }

    pub fn is_dirty(self) -> bool {
        self.text
            .with(|text| self.saved.with(|saved| text != saved))
    }

    pub fn count(self, severity: Severity) -> usize {
        self.diagnostics.with(|found| {
            found
                .iter()
                .filter(|found| found.severity == severity)
                .count()
        })
    }

    /// Puts another text into the editor, as saved.
    pub fn load(self, code: &str) {
        let text = code.replace("\r\n", "\n");
        if let Some(area) = self.area.get_untracked() {
            area.set_value(&text);
        }
        self.saved.set(text.clone());
        self.text.set(text);
    }

    /// Moves the cursor to a line, counted from 1, and shows it.
    pub fn go_to_line(self, line: u32) {
        if let Some(area) = self.area.get_untracked() {
            let at = self
                .text
                .with_untracked(|text| edit::line_start(text, line));
            // Blurring first makes the browser scroll to the cursor when it is focused again.
            _ = area.blur();
            _ = area.set_selection_range(at, at);
            _ = area.focus();
            self.read_cursor();
        }
    }

    /// Takes over what stands in the textarea.
    pub(super) fn read_text(self) {
        if let Some(area) = self.area.get_untracked() {
            let text = area.value();
            if self.text.with_untracked(|known| *known != text) {
                self.text.set(text);
            }
            self.read_cursor();
        }
    }

    pub(super) fn read_cursor(self) {
        if let Some(area) = self.area.get_untracked() {
            let at = area.selection_end().ok().flatten().unwrap_or(0);
            let position = self
                .text
                .with_untracked(|text| edit::line_and_column(text, at));
            if self.position.get_untracked() != position {
                self.position.set(position);
            }
        }
    }

    /// Asks the server what is wrong with the text, whenever typing rests. A failed call leaves what was known: the build says it anyway.
    pub(super) fn diagnose_as_typed(self) {
        let asked = StoredValue::new(0_u64);
        Effect::new(move |_| {
            self.text.track();
            asked.update_value(|number| *number += 1);
            let number = asked.get_value();
            let is_newest = move || asked.try_get_value() == Some(number);
            set_timeout(
                move || {
                    if is_newest() {
                        spawn_local(async move {
                            let answer = diagnose_code(self.text.get_untracked()).await;
                            if let Ok(found) = answer
                                && is_newest()
                                && self.diagnostics.with_untracked(|known| *known != found)
                            {
                                self.diagnostics.set(found);
                            }
                        });
                    }
                },
                REST,
            );
        });
    }
}
