//! A whole module, read-only.

use leptos::prelude::*;

use super::overlay::line_class;
use super::paint::paint;

/// Python with its line numbers.
#[component]
pub fn SourceView(text: String) -> impl IntoView {
    let lines = paint(&text, &[])
        .into_iter()
        .map(|line| view! { <span class=line_class(&line, false) inner_html=line.html></span> })
        .collect_view();
    view! {
        <div class="editor">
            <div class="editor__text" tabindex="0">
                <code class="editor__lines">{lines}</code>
            </div>
        </div>
    }
}
