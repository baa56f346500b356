//! A body as it was kept: JSON indented, anything else as text.

use leptos::prelude::*;
use serde_json::Value;

use super::json::paint_json;
use crate::model::execution::Headers;
use crate::ui::editor::paint::escape;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::icon::{Glyph, Icon};

#[component]
pub fn Body(body: Option<Value>, truncated: bool) -> impl IntoView {
    let words = &use_i18n().function.executions;
    let markup = match &body {
        None => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(escape(text)),
        Some(value) => Some(paint_json(value)),
    };
    let content = match markup {
        Some(markup) => view! { <div class="code"><pre class="body-text" tabindex="0" inner_html=markup></pre></div> }.into_any(),
        None => view! { <p class="muted">{words.no_body}</p> }.into_any(),
    };
    view! {
        {content}
        {truncated.then(|| view! { <p class="warn">{words.truncated}</p> })}
    }
}

/// Headers, folded behind their number.
#[component]
pub fn HeaderList(title: &'static str, headers: Headers) -> impl IntoView {
    let count = headers.len();
    let rows = headers
        .into_iter()
        .map(|(name, value)| view! { <dt class="mono">{name}</dt><dd class="mono">{value}</dd> })
        .collect_view();
    (count > 0).then(|| {
        view! {
            <details class="more">
                <summary><Icon glyph=Glyph::Right/>{title}<span class="muted">{count}</span></summary>
                <dl class="facts">{rows}</dl>
            </details>
        }
    })
}
