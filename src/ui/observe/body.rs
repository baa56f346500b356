//! A body as it was kept: JSON indented, anything else as text.

use leptos::prelude::*;
use serde_json::Value;

use super::json::paint_json;
use crate::model::execution::Headers;
use crate::ui::editor::paint::escape;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::icon::{Glyph, Icon};

/// The body as text: JSON indented, other text as it is.
pub fn body_text(body: &Value) -> String {
    match body {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

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

#[cfg(test)]
mod tests {
    use super::body_text;
    use serde_json::json;

    #[test]
    fn a_body_goes_back_into_a_form_as_it_was() {
        assert_eq!(body_text(&json!("plain\ntext")), "plain\ntext");
        assert_eq!(body_text(&json!({"a": 1})), "{\n  \"a\": 1\n}");
    }
}
