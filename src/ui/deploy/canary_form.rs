//! What begins a canary.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::canary::Whose;
use crate::api::versions::StartCanary;
use crate::model::canary::{DEFAULT_MARGIN, DEFAULT_MIN_CALLS};
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::SubmitButton;
use crate::ui::widgets::field::{Field, TextField, error_of, error_of_form};
use crate::ui::widgets::notice::{FormError, action_error};

/// The fields whose errors stand in their place.
const FIELDS: &[&str] = &["version", "percent", "margin", "min_calls"];

#[component]
pub fn StartCanaryForm(
    context: FunctionContext,
    versions: Vec<u32>,
    start: ServerAction<StartCanary>,
) -> impl IntoView {
    let words = &use_i18n().function.versions;
    let error = action_error(start);
    let options = versions
        .into_iter()
        .map(|number| view! { <option value=number.to_string()>{format!("v{number}")}</option> })
        .collect_view();
    view! {
        <ActionForm action=start attr:class="form">
            <Whose context/>
            <p class="muted">{words.canary_text}</p>
            <FormError error=error_of_form(error, FIELDS)/>
            <Field id="canary-version" label=words.canary_version error=error_of(error, "version")>
                <select class="select" id="canary-version" name="plan[version]" aria-describedby="canary-version-hint canary-version-error">{options}</select>
            </Field>
            <TextField id="canary-percent" name="plan[percent]" label=words.percent value="10" note=words.percent_note error=error_of(error, "percent")/>
            <TextField id="canary-margin" name="plan[margin]" label=words.margin value=DEFAULT_MARGIN.to_string() note=words.margin_note hint=words.margin_hint.to_owned() error=error_of(error, "margin")/>
            <TextField id="canary-min-calls" name="plan[min_calls]" label=words.min_calls value=DEFAULT_MIN_CALLS.to_string() error=error_of(error, "min_calls")/>
            <div class="row"><SubmitButton label=words.start busy=start.pending()/></div>
        </ActionForm>
    }
}
