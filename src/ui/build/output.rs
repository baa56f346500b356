//! What the builder wrote.

use leptos::html;
use leptos::prelude::*;

use super::offset;
use crate::model::task::TaskLine;
use crate::model::time::Timestamp;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::copy_button::CopyButton;
use crate::ui::widgets::icon::{Glyph, Icon};

/// Pixels from the end within which a reader counts as following.
const FOLLOWS: i32 = 40;

/// The lines with their times from `start` on. Stays at the newest line unless its reader scrolled away from it.
#[component]
pub fn OutputLines(lines: Signal<Vec<TaskLine>>, start: Timestamp) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let pane = NodeRef::<html::Div>::new();
    let following = StoredValue::new(true);
    Effect::new(move |_| {
        lines.track();
        if following.get_value()
            && let Some(pane) = pane.get()
        {
            pane.set_scroll_top(pane.scroll_height());
        }
    });
    let scrolled = move |_| {
        if let Some(pane) = pane.get_untracked() {
            following.set_value(
                pane.scroll_height() - pane.scroll_top() - pane.client_height() < FOLLOWS,
            );
        }
    };
    view! {
        <div class="code">
            <div class="output" role="log" aria-label=words.live_output tabindex="0" node_ref=pane on:scroll=scrolled>
                {move || lines.with(Vec::is_empty).then(|| view! { <div class="muted">{words.no_output}</div> })}
                <For each=move || lines.get() key=|line| line.sequence let:line>
                    <div><time>{offset(start, line.at)}</time><span>{line.text}</span></div>
                </For>
            </div>
        </div>
    }
}

/// The lines folded away behind their number.
#[component]
pub fn FoldedOutput(lines: Signal<Vec<TaskLine>>, start: Timestamp) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let text = Signal::derive(move || {
        lines.with(|lines| {
            lines
                .iter()
                .map(|line| line.text.as_str())
                .collect::<Vec<_>>()
                .join("\n")
        })
    });
    view! {
        <details class="more">
            <summary><Icon glyph=Glyph::Right/>{move || (words.full_output)(lines.with(Vec::len))}</summary>
            <div class="row row--between"><span></span><CopyButton text label=words.copy_output/></div>
            <OutputLines lines start/>
        </details>
    }
}
