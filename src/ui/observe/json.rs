//! JSON as indented, highlighted HTML.

use serde_json::Value;

use crate::ui::editor::paint::escape;

/// Markup of a value over several lines, two spaces a level.
pub fn paint_json(value: &Value) -> String {
    let mut html = String::new();
    push_value(&mut html, value, 0);
    html
}

fn push_span(html: &mut String, class: &str, text: &str) {
    html.push_str("<span class=\"");
    html.push_str(class);
    html.push_str("\">");
    html.push_str(&escape(text));
    html.push_str("</span>");
}

fn push_line(html: &mut String, depth: usize) {
    html.push('\n');
    for _ in 0..depth {
        html.push_str("  ");
    }
}

fn push_value(html: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Null | Value::Bool(_) => push_span(html, "b", &value.to_string()),
        Value::Number(number) => push_span(html, "n", &number.to_string()),
        Value::String(_) => push_span(html, "s", &value.to_string()),
        Value::Array(items) if items.is_empty() => html.push_str("[]"),
        Value::Object(members) if members.is_empty() => html.push_str("{}"),
        Value::Array(items) => {
            html.push('[');
            for (index, item) in items.iter().enumerate() {
                html.push_str(if index > 0 { "," } else { "" });
                push_line(html, depth + 1);
                push_value(html, item, depth + 1);
            }
            push_line(html, depth);
            html.push(']');
        }
        Value::Object(members) => {
            html.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                html.push_str(if index > 0 { "," } else { "" });
                push_line(html, depth + 1);
                push_span(html, "f", &Value::from(name.as_str()).to_string());
                html.push_str(": ");
                push_value(html, member, depth + 1);
            }
            push_line(html, depth);
            html.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::paint_json;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_has_its_colour_and_line() {
        let html = paint_json(&json!({"a": [1, true, null], "b": {}}));
        assert_eq!(
            html,
            "{\n  <span class=\"f\">&quot;a&quot;</span>: [\n    <span class=\"n\">1</span>,\n    <span class=\"b\">true</span>,\n    <span class=\"b\">null</span>\n  ],\n  <span class=\"f\">&quot;b&quot;</span>: {}\n}"
        );
    }

    #[test]
    fn what_a_function_answers_cannot_become_markup() {
        let html = paint_json(&json!({"<b>": "</pre><script>\"\n"}));
        assert_eq!(
            html,
            "{\n  <span class=\"f\">&quot;&lt;b&gt;&quot;</span>: <span class=\"s\">&quot;&lt;/pre&gt;&lt;script&gt;\\&quot;\\n&quot;</span>\n}"
        );
    }
}
