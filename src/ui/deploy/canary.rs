//! The canary of a function: begun, watched, promoted, ended.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

use super::canary_form::StartCanaryForm;
use crate::api::versions::{EndCanary, PromoteCanary, StartCanary, canary};
use crate::model::canary::{CallCount, Canary, CanaryState};
use crate::ui::browser;
use crate::ui::i18n::function::versions::VersionMessages;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::{Size, SubmitButton};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::notice::{FormError, action_error};
use crate::ui::widgets::status::{Shape, Status, error_rate_class};

/// How often a running canary's counts are asked for.
const POLL: Duration = Duration::from_secs(3);

/// The forms of a canary.
#[derive(Clone, Copy)]
pub struct CanaryActions {
    pub start: ServerAction<StartCanary>,
    pub promote: ServerAction<PromoteCanary>,
    pub end: ServerAction<EndCanary>,
}

fn state_of(state: CanaryState, words: &VersionMessages) -> (Shape, &'static str) {
    match state {
        CanaryState::Running => (Shape::PulsingDot, words.running),
        CanaryState::Returned => (Shape::Diamond, words.returned),
        CanaryState::Ended => (Shape::Dash, words.ended),
        CanaryState::Promoted => (Shape::Dot, words.promoted),
        CanaryState::Superseded => (Shape::Dash, words.superseded),
    }
}

/// `versions` are those that can be tried: all but the one that serves.
#[component]
pub fn CanaryCard(
    context: FunctionContext,
    versions: Vec<u32>,
    initial: Option<Canary>,
    actions: CanaryActions,
) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let newest = RwSignal::new(initial);
    let is_running = Memo::new(move |_| {
        newest.with(|newest| {
            newest
                .as_ref()
                .is_some_and(|canary| canary.state == CanaryState::Running)
        })
    });
    browser::use_interval(POLL, move || {
        if !is_running.get_untracked() {
            return;
        }
        spawn_local(async move {
            let newer = canary(context.workspace(), context.function()).await;
            // The page may have been left meanwhile.
            if let Ok(newer) = newer
                && newest.try_with_untracked(|known| *known != newer) == Some(true)
            {
                newest.set(newer);
            }
        });
    });
    let versions = StoredValue::new(versions);
    view! {
        <Card title=words.canary>
            <div class="card__body form">
                {move || newest.get().map(|canary| view! { <CanaryReport canary/> })}
                {move || match (is_running.get(), versions.with_value(Vec::is_empty)) {
                    (true, _) => view! { <RunningForms context actions/> }.into_any(),
                    (false, true) => view! { <p class="muted">{words.canary_none}</p> }.into_any(),
                    (false, false) => view! { <StartCanaryForm context versions=versions.get_value() start=actions.start/> }.into_any(),
                }}
            </div>
        </Card>
    }
}

#[component]
fn CanaryReport(canary: Canary) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let (shape, label) = state_of(canary.state, words);
    let (version, percent) = (canary.plan.version(), canary.plan.percent());
    let share = if canary.state == CanaryState::Running {
        (words.share)(version, percent)
    } else {
        (words.was_on_trial)(version, percent)
    };
    let serving = canary
        .serving_version
        .map_or_else(|| words.serving_image.to_owned(), words.serves);
    view! {
        <p><Status shape label/> " " {share}</p>
        {canary.reason.map(|reason| view! { <p class="muted">{reason}</p> })}
        <div class="table-wrap">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col" class="col-fill">{words.column_version}</th>
                        <th scope="col" class="num">{words.column_calls}</th>
                        <th scope="col" class="num">{words.column_errors}</th>
                        <th scope="col" class="num">{words.column_rate}</th>
                    </tr>
                </thead>
                <tbody>
                    <CountRow name=(words.on_trial)(version) count=canary.counts.canary/>
                    <CountRow name=serving count=canary.counts.serving/>
                </tbody>
            </table>
        </div>
        <p class="field__hint">{words.counts_note}</p>
    }
}

#[component]
fn CountRow(name: String, count: CallCount) -> impl IntoView {
    let rate = count.error_rate();
    view! {
        <tr>
            <td>{name}</td>
            <td class="num">{number::count(count.calls)}</td>
            <td class="num">{number::count(count.errors)}</td>
            <td class="num"><span class=error_rate_class(rate)>{number::percent(rate)}</span></td>
        </tr>
    }
}

#[component]
fn RunningForms(context: FunctionContext, actions: CanaryActions) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let CanaryActions { promote, end, .. } = actions;
    let (promoting, ending) = (action_error(promote), action_error(end));
    let failed = Signal::derive(move || {
        let error = promoting.get().or_else(|| ending.get());
        error.map(|error| error.message)
    });
    view! {
        <FormError error=failed/>
        <div class="row row--wrap">
            <ActionForm action=promote>
                <Whose context/>
                <SubmitButton label=words.promote size=Size::Small busy=promote.pending()/>
            </ActionForm>
            <ActionForm action=end>
                <Whose context/>
                <SubmitButton label=words.end size=Size::Small busy=end.pending()/>
            </ActionForm>
        </div>
    }
}

/// The ids that every form sends.
#[component]
pub fn Whose(context: FunctionContext) -> impl IntoView {
    view! {
        <input type="hidden" name="workspace" value=context.workspace().to_string()/>
        <input type="hidden" name="function" value=context.function().to_string()/>
    }
}
