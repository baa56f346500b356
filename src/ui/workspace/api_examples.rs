//! What the console does, as calls over HTTP.

use leptos::prelude::*;

use crate::model::id::WorkspaceId;
use crate::ui::browser;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::card::Card;
use crate::ui::widgets::copy_button::CopyButton;

/// Stands for the console's address until the browser knows it.
const UNKNOWN_ORIGIN: &str = "$BLUE_FAAS";

#[component]
pub fn ApiExamples(workspace: WorkspaceId) -> impl IntoView {
    let words = &use_i18n().workspace;
    let origin = RwSignal::new(UNKNOWN_ORIGIN.to_owned());
    Effect::new(move |_| {
        if let Some(known) = browser::origin() {
            origin.set(known);
        }
    });
    let path = format!("/api/workspaces/{workspace}");
    let functions = path.clone();
    let create = path.clone();
    view! {
        <Card title=words.api>
            <div class="card__body stack">
                <p class="second">{words.api_text}</p>
                <Call label=words.api_list call=Signal::derive(move || format!("curl -s \"{}{functions}/functions?fields=summary\"", origin.get()))/>
                <Call
                    label=words.api_create
                    call=Signal::derive(move || {
                        format!(
                            "curl -s -X POST \"{}{create}/functions\" \\\n  -H 'content-type: application/json' \\\n  -d \"{{\\\"name\\\": \\\"hello\\\", \\\"code\\\": \\\"$(base64 -w0 app.py)\\\"}}\"",
                            origin.get(),
                        )
                    })
                />
                <Call label=words.api_logs call=Signal::derive(move || format!("curl -s \"{}{path}/logs?limit=50\"", origin.get()))/>
            </div>
        </Card>
    }
}

#[component]
fn Call(label: &'static str, call: Signal<String>) -> impl IntoView {
    view! {
        <div class="stack stack--s">
            <h3>{label}</h3>
            <div class="code code--line">
                <pre tabindex="0"><code>{call}</code></pre>
                <CopyButton text=call label=use_i18n().workspace.copy_call/>
            </div>
        </div>
    }
}
