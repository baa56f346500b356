//! What keys do in the editor beyond typing.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use std::ops::Range;

use super::edit::{Edit, indent, new_line, outdent, pair, toggle_comment};
use super::state::EditorState;
use crate::ui::browser;

/// Handles one key. `released` is set by Escape: the next Tab then leaves the editor, so that the keyboard is not caught in it.
pub(super) fn press(
    event: &KeyboardEvent,
    state: EditorState,
    released: StoredValue<bool>,
    save: Option<Callback<()>>,
) {
    // While an input method composes, every key is its own.
    if event.is_composing() || event.key_code() == 229 {
        return;
    }
    let key = event.key();
    let command = event.ctrl_key() || event.meta_key();
    let was_released = released.get_value();
    if key != "Shift" {
        released.set_value(key == "Escape");
    }
    let edit: fn(&str, Range<u32>, char) -> Option<Edit> = match key.as_str() {
        "Tab" if command || event.alt_key() || was_released => return,
        "Tab" if event.shift_key() => |text, selection, _| outdent(text, selection),
        "Tab" => |text, selection, _| indent(text, selection),
        "Enter" if !command && !event.shift_key() && !event.alt_key() => {
            |text, selection, _| new_line(text, selection)
        }
        "/" if command => |text, selection, _| toggle_comment(text, selection),
        "s" | "S" if command && !event.shift_key() && save.is_some() => {
            event.prevent_default();
            if let Some(save) = save {
                save.run(());
            }
            return;
        }
        "(" | ")" | "[" | "]" | "{" | "}" | "\"" | "'" if !command && !event.alt_key() => pair,
        _ => return,
    };
    let Some(area) = state.area.get_untracked() else {
        return;
    };
    let selection = area.selection_start().ok().flatten().unwrap_or(0)
        ..area.selection_end().ok().flatten().unwrap_or(0);
    let typed = key.chars().next().unwrap_or_default();
    let done = edit(&area.value(), selection, typed);
    // Tab stays in the editor even where there is nothing to move out.
    if done.is_some() || key == "Tab" {
        event.prevent_default();
    }
    if let Some(done) = done {
        _ = area.set_selection_range(done.replace.start, done.replace.end);
        if done.with.is_empty() && !done.replace.is_empty() {
            browser::delete_selection();
        } else if !done.with.is_empty() {
            browser::insert_text(&done.with);
        }
        _ = area.set_selection_range(done.selection.start, done.selection.end);
        state.read_text();
    }
}
