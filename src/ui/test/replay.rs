//! Making a recorded request again on another version or the draft.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::comparison::Comparison;
use crate::api::replays::ReplayExecution;
use crate::model::error::Error;
use crate::model::execution::Execution;
use crate::model::replay::{Alteration, Altered, RecordedRequest};
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::{Size, SubmitButton};
use crate::ui::widgets::icon::Glyph;
use crate::ui::widgets::load::Load;
use crate::ui::widgets::notice::{FormError, action_failure};

/// Where the panel is in its page: the address after a replay names it.
const PLACE: &str = "replay";

/// What the replays of a page need from the server.
#[derive(Clone, Copy)]
pub struct Replays {
    /// Numbers of the versions that can be run, newest first.
    pub versions: Resource<Result<Vec<u32>, Error>>,
    /// The run that the address names.
    pub shown: Resource<Result<Option<Execution>, Error>>,
}

/// The choice of what to replay an execution on, and the comparison once that was done.
#[component]
pub fn ReplayPanel(
    context: FunctionContext,
    execution: Execution,
    replays: Replays,
) -> impl IntoView {
    let words = &use_i18n().function.replay;
    let original = execution.clone();
    let runs_programs = context
        .detail
        .with_untracked(|detail| detail.platform.runs_programs());
    let form = match RecordedRequest::of(&execution) {
        _ if !runs_programs => {
            let words = &use_i18n().function.code;
            view! { <p class="muted">{words.cluster_no_drafts}</p> }.into_any()
        }
        Ok(request) => view! {
            <ReplayForm context execution replays/>
            <AlteredParts altered=request.altered/>
        }
        .into_any(),
        Err(error) => view! { <p class="warn">{error.message}</p> }.into_any(),
    };
    let comparison = move |shown: Option<Execution>| {
        // The address may name the run of another execution's request, once another row was opened.
        shown
            .filter(|shown| {
                shown.method == original.method
                    && shown.path == original.path
                    && shown.query == original.query
            })
            .map(|after| view! { <Comparison before=original.clone() after/> })
    };
    view! {
        <section class="wide" id=PLACE>
            <h2>{words.title}</h2>
            {form}
            <Load resource=replays.shown fallback=|| () children=comparison/>
        </section>
    }
}

#[component]
fn ReplayForm(context: FunctionContext, execution: Execution, replays: Replays) -> impl IntoView {
    let words = &use_i18n().function.replay;
    let action = ServerAction::<ReplayExecution>::new();
    let failed = action_failure(action);
    let serves = context.part(|detail| {
        let number = detail.function.deployed_version;
        detail.public_url.is_some().then_some(number)
    });
    let serving = move || {
        let label = serves
            .get()?
            .map_or_else(|| words.serving_unnumbered.to_owned(), words.serving);
        Some(view! { <option value="serving">{label}</option> })
    };
    let versions = move |numbers: Vec<u32>| {
        numbers
            .into_iter()
            .map(|number| view! { <option value=number.to_string()>{(words.version)(number)}</option> })
            .collect_view()
    };
    let is_safe = matches!(execution.method.as_str(), "GET" | "HEAD");
    let warning = (!is_safe).then(
        || view! { <strong class="warn">{(words.repeats_a_change)(&execution.method)}</strong> },
    );
    view! {
        <FormError error=failed/>
        <ActionForm action attr:class="row row--wrap">
            <input type="hidden" name="workspace" value=context.workspace().to_string()/>
            <input type="hidden" name="function" value=context.function().to_string()/>
            <input type="hidden" name="execution" value=execution.id.to_string()/>
            <label class="row">
                <span class="nowrap">{words.target}</span>
                <select class="select" name="target">
                    {serving}
                    <Load resource=replays.versions fallback=|| () children=versions/>
                    <option value="draft">{words.draft}</option>
                </select>
            </label>
            <SubmitButton label=words.run size=Size::Small glyph=Glyph::Play busy=action.pending()/>
        </ActionForm>
        <p class="field__hint">{warning} " " {words.runs_for_real}</p>
    }
}

/// What the draft's form was filled with, before it was run.
#[component]
pub fn RequestNotes(execution: Execution) -> impl IntoView {
    let words = &use_i18n().function.replay;
    match RecordedRequest::of(&execution) {
        Ok(request) => view! {
            <p class="muted">{words.waits}</p>
            <AlteredParts altered=request.altered/>
        }
        .into_any(),
        Err(error) => view! { <p class="warn">{error.message}</p> }.into_any(),
    }
}

#[component]
fn AlteredParts(altered: Vec<Altered>) -> impl IntoView {
    let words = &use_i18n().function.replay;
    (!altered.is_empty()).then(|| {
        let part = |part: Altered| {
            let text = match part.reason {
                Alteration::Masked => words.masked,
                Alteration::Cut => words.cut,
                Alteration::NotText => words.not_text,
                Alteration::Rewritten => words.rewritten,
            };
            view! { <li>{text(&part.field)}</li> }
        };
        let parts = altered.into_iter().map(part).collect_view();
        view! {
            <div class="field__hint">
                <p>{words.altered}</p>
                <ul class="bullets">{parts}</ul>
            </div>
        }
    })
}
