//! One execution in full: request, response, timings, output.

use leptos::prelude::*;

use super::body::{Body, HeaderList};
use super::output::Output;
use crate::model::execution::{Execution, ExecutionStatus, Trigger, body_text};
use crate::ui::i18n::function::executions::ExecutionMessages;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::pages::function::{FunctionContext, FunctionTab};
use crate::ui::test::replay::{ReplayPanel, Replays};
use crate::ui::widgets::button::{LinkButton, Size};
use crate::ui::widgets::copy_button::{CopyButton, CopyLook};
use crate::ui::widgets::icon::Glyph;
use crate::ui::widgets::notice::{Banner, Tone};

fn trigger_label(trigger: Trigger, words: &ExecutionMessages) -> &'static str {
    match trigger {
        Trigger::Http => words.trigger_http,
        Trigger::Invoke => words.trigger_invoke,
        Trigger::Test => words.trigger_test,
        Trigger::Draft => words.trigger_draft,
        Trigger::Replay => words.trigger_replay,
    }
}

#[component]
pub fn ExecutionDetail(
    context: FunctionContext,
    execution: Execution,
    replays: Replays,
) -> impl IntoView {
    let words = &use_i18n().function.executions;
    let again = format!(
        "{}?execution={}",
        context.path(FunctionTab::Test),
        execution.id
    );
    let response_text = execution
        .response_body
        .as_ref()
        .map(body_text)
        .unwrap_or_default();
    let output_text = execution.logs.join("\n");
    let has_output = !execution.logs.is_empty();
    let error = execution.error.clone();
    // Who left before there was an answer says nothing about the function.
    let tone = match execution.status {
        ExecutionStatus::Error => Tone::Danger,
        ExecutionStatus::Success => Tone::Warn,
    };
    view! {
        <div class="exec">
            {error.map(|error| view! { <section class="wide exec__error"><Banner tone>{error}</Banner></section> })}
            <section>
                <div class="row row--between"><h2>{words.request}</h2><span class="muted">{number::bytes(execution.request_size)}</span></div>
                <Body body=execution.request_body.clone() truncated=false/>
                <HeaderList title=words.request_headers headers=execution.request_headers.clone()/>
            </section>
            <section>
                <div class="row row--between">
                    <h2>{words.response}</h2>
                    <span class="row muted">{number::bytes(execution.response_size)} <CopyButton text=response_text label=words.copy_body/></span>
                </div>
                <Body body=execution.response_body.clone() truncated=execution.truncated/>
                <HeaderList title=words.response_headers headers=execution.response_headers.clone()/>
                <Timings execution=execution.clone()/>
            </section>
            <section class="wide">
                <div class="row row--between row--wrap">
                    <h2>{words.output}</h2>
                    <div class="row">
                        <span class="muted mono only-wide">{execution.id.to_string()}</span>
                        {has_output.then(|| view! { <CopyButton text=output_text label=words.copy_output look=CopyLook::IconAndWord/> })}
                        <LinkButton href=again label=words.run_again size=Size::Small glyph=Glyph::Play/>
                    </div>
                </div>
                <Output lines=execution.logs.clone()/>
            </section>
            <ReplayPanel context execution replays/>
        </div>
    }
}

/// Waiting, instance and run as parts of the whole, then what else was measured.
#[component]
pub fn Timings(execution: Execution) -> impl IntoView {
    let words = &use_i18n().function.executions;
    let total = execution.duration.max(0.001);
    let part = |label: &'static str, from: f64, length: f64| {
        let (from, percent) = (
            (from / total * 100.0).clamp(0.0, 100.0),
            (length / total * 100.0).clamp(0.0, 100.0),
        );
        view! {
            <div class="bar-meter">
                <span>{label}</span>
                <div><i style=format!("--from:{from:.1}%;--len:{:.1}%", percent.min(100.0 - from).max(0.5))></i></div>
                <span class="num">{number::milliseconds(length)}</span>
            </div>
        }
    };
    let parts = execution.start_ms.map(|start| {
        let queue = execution.queue_ms.unwrap_or_default().min(total);
        let start = start.min(total - queue);
        let run = execution.run_ms.unwrap_or(total - queue - start);
        [
            part(words.waiting, 0.0, queue),
            part(words.starting, queue, start),
            part(words.handler, queue + start, run),
        ]
        .collect_view()
    });
    let none = || use_i18n().widgets.none.to_owned();
    view! {
        <h2>{words.time}</h2>
        {parts}
        <dl class="facts">
            <dt>{words.total}</dt>
            <dd>{number::milliseconds(execution.duration)}</dd>
            <dt>{words.cpu}</dt>
            <dd>{execution.cpu_ms.map_or_else(none, number::milliseconds)}</dd>
            <dt>{words.memory}</dt>
            <dd>{execution.memory_mb.map_or_else(none, |memory| format!("{} MB", number::decimal(memory, 1)))}</dd>
            <dt>{words.page_faults}</dt>
            <dd>{execution.page_faults.map_or_else(none, number::count)}</dd>
            <dt>{words.trigger}</dt>
            <dd>{trigger_label(execution.trigger, words)}</dd>
        </dl>
    }
}
