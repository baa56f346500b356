//! What a call answered.

use leptos::prelude::*;

use crate::model::execution::{Execution, ExecutionStatus, body_text};
use crate::ui::i18n::{number, use_i18n};
use crate::ui::observe::body::{Body, HeaderList};
use crate::ui::observe::execution::Timings;
use crate::ui::observe::output::Output;
use crate::ui::widgets::copy_button::CopyButton;
use crate::ui::widgets::empty_state::EmptyState;
use crate::ui::widgets::notice::{Banner, Tone};
use crate::ui::widgets::relative_time::RelativeTime;

/// As in `200 OK`.
fn status_line(code: u16) -> String {
    let reason = http::StatusCode::from_u16(code)
        .ok()
        .and_then(|status| status.canonical_reason());
    reason.map_or_else(|| code.to_string(), |reason| format!("{code} {reason}"))
}

fn content_type(execution: &Execution) -> Option<String> {
    execution
        .response_headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.clone())
}

#[component]
pub fn ResponsePanel(shown: Signal<Option<Execution>>) -> impl IntoView {
    let words = &use_i18n().function.test;
    view! {
        <section class="card" aria-live="polite">
            {move || match shown.get() {
                Some(execution) => view! { <Response execution/> }.into_any(),
                None => {
                    view! {
                        <div class="card__header"><h2>{words.response}</h2></div>
                        <EmptyState title=words.response text=words.response_none/>
                    }
                        .into_any()
                }
            }}
        </section>
    }
}

#[component]
fn Response(execution: Execution) -> impl IntoView {
    let words = &use_i18n().function.test;
    let failed = execution.status == ExecutionStatus::Error;
    let class = match execution.status_code {
        _ if failed => "bad",
        200..400 => "ok",
        _ => "warn",
    };
    let line = if execution.status_code == 0 {
        words.no_answer.to_owned()
    } else {
        status_line(execution.status_code)
    };
    let copied = execution
        .response_body
        .as_ref()
        .map(body_text)
        .unwrap_or_default();
    let why = execution
        .error
        .clone()
        .unwrap_or_else(|| words.failed_hint.to_owned());
    let version = execution.version.map(words.serving_version);
    view! {
        <div class="card__header">
            <div class="response-line">
                <h2 class="sr">{words.response}</h2>
                <strong class=class>{line}</strong>
                <span>{number::milliseconds(execution.duration)}</span>
                <span>{number::bytes(execution.response_size)}</span>
                <span class="only-wide">{content_type(&execution)}</span>
                <span class="only-wide">{version}</span>
                <span><RelativeTime at=execution.timestamp/></span>
            </div>
            <CopyButton text=copied label=words.copy_response/>
        </div>
        <div class="card__body form">
            {failed.then(|| view! { <Banner tone=Tone::Danger><strong>{words.failed}</strong> ". " {why}</Banner> })}
            <div class="response-body">
                <Body body=execution.response_body.clone() truncated=execution.truncated/>
            </div>
            <HeaderList title=words.response_headers headers=execution.response_headers.clone()/>
            <div class="stack stack--s">
                <h3>{words.output}</h3>
                <Output lines=execution.logs.clone()/>
            </div>
            <div class="stack stack--s"><Timings execution/></div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::status_line;

    #[test]
    fn a_status_comes_with_its_words_where_it_has_any() {
        assert_eq!(status_line(404), "404 Not Found");
        assert_eq!(status_line(599), "599");
    }
}
