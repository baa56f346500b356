//! The editor as a form field.

use leptos::prelude::*;

use super::keys;
use super::overlay::Overlay;
use super::paint::escape;
use super::problems::ProblemBar;
use super::state::EditorState;
use crate::model::source::Severity;
use crate::ui::i18n::use_i18n;

/// A field `name` of the form it stands in. Give `state` to see and change the text from outside; without it `value` is what it starts with.
#[component]
pub fn CodeEditor(
    name: &'static str,
    #[prop(optional, into)] value: String,
    #[prop(optional)] state: Option<EditorState>,
    /// Added to `editor`, as in `editor--tall`.
    #[prop(optional)]
    class: &'static str,
    /// What Ctrl S does.
    #[prop(optional)]
    on_save: Option<Callback<()>>,
    /// What stands at the end of the bar above the code.
    #[prop(optional, into)]
    toolbar: ViewFnOnce,
) -> impl IntoView {
    let words = &use_i18n().function.code;
    let state = state.unwrap_or_else(|| EditorState::new(&value));
    state.diagnose_as_typed();
    view! {
        <section class=format!("editor {class}") aria-label=words.editor_label>
            <div class="editor__bar">
                <span class="mono">"app.py"</span>
                <span role="status">{move || state.is_dirty().then(|| view! { <span class="badge badge--warn">{words.unsaved}</span> })}</span>
                <span class="grow"></span>
                {toolbar.run()}
            </div>
            <Surface name state on_save/>
            <ProblemBar state/>
            <div class="editor__status">
                <span>{move || state.position.with(|(line, column)| (words.position)(*line, *column))}</span>
                <span>{move || (words.lines)(state.text.with(|text| text.split('\n').count()))}</span>
                <span class="only-wide">{words.spaces}</span>
                <span class="only-wide">{words.encoding}</span>
                <span class="only-wide">{words.runtime}</span>
                <ProblemCount state/>
            </div>
        </section>
    }
}

/// The text twice: a textarea that takes the keys, and the overlay that shows the colours. Both share every metric.
#[component]
fn Surface(name: &'static str, state: EditorState, on_save: Option<Callback<()>>) -> impl IntoView {
    let words = &use_i18n().function.code;
    let released = StoredValue::new(false);
    let initial = state.text.get_untracked();
    // A parser drops a line break right after the tag, so one more is written; the effect below takes it out where nothing parsed.
    let markup = if initial.starts_with('\n') {
        format!("\n{}", escape(&initial))
    } else {
        escape(&initial)
    };
    Effect::new(move |_| {
        if let Some(area) = state.area.get() {
            if initial.starts_with('\n') && area.value() == format!("\n{initial}") {
                area.set_value(&initial);
            }
            // What was typed before this ran is not lost.
            state.read_text();
        }
    });
    view! {
        <div class="editor__text">
            <div class="editor__surface">
                <textarea
                    class="editor__input"
                    name=name
                    aria-label=words.textarea_label
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                    wrap="off"
                    node_ref=state.area
                    inner_html=markup
                    on:input=move |_| state.read_text()
                    on:keydown=move |event| keys::press(&event, state, released, on_save)
                    on:keyup=move |_| state.read_cursor()
                    on:click=move |_| state.read_cursor()
                ></textarea>
                <Overlay state/>
            </div>
        </div>
    }
}

#[component]
fn ProblemCount(state: EditorState) -> impl IntoView {
    let words = &use_i18n().function.code;
    let count = move || match (state.count(Severity::Error), state.count(Severity::Warning)) {
        (0, 0) => ("end muted", words.no_problems.to_owned()),
        (0, warnings) => ("end warn", (words.warnings)(warnings)),
        (errors, _) => ("end bad", (words.errors)(errors)),
    };
    view! { <span class=move || count().0>{move || count().1}</span> }
}
