//! What takes a function out of service.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::functions::SetFunctionEnabled;
use crate::model::function::FunctionStatus;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::{FunctionContext, FunctionTab};
use crate::ui::widgets::button::{LinkButton, Weight};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::notice::{FormError, action_failure};

#[component]
pub fn DangerZone(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.settings;
    let enable = ServerAction::<SetFunctionEnabled>::new();
    context.refresh_after(enable);
    let failed = action_failure(enable);
    let enabled = context.part(|detail| detail.function.status != FunctionStatus::Disabled);
    let pending = enable.pending();
    view! {
        <Card title=words.danger class="card--danger">
            <div class="card__body form">
                <FormError error=failed/>
                <div class="setting">
                    <div>
                        <h3>{move || if enabled.get() { words.disable_title } else { words.enable_title }}</h3>
                        <p>{move || if enabled.get() { words.disable_text } else { words.enable_text }}</p>
                    </div>
                    <ActionForm action=enable>
                        <input type="hidden" name="workspace" value=context.workspace().to_string()/>
                        <input type="hidden" name="function" value=context.function().to_string()/>
                        <button
                            type="submit"
                            class="button button--danger-quiet"
                            name="enabled"
                            value=move || if enabled.get() { "no" } else { "yes" }
                            aria-busy=move || pending.get().then_some("true")
                        >
                            {move || if enabled.get() { words.disable } else { words.enable }}
                        </button>
                    </ActionForm>
                </div>
                <hr/>
                <div class="setting">
                    <div>
                        <h3>{words.delete_title}</h3>
                        <p>{words.delete_text}</p>
                    </div>
                    <LinkButton href=format!("{}?dialog=delete", context.path(FunctionTab::Settings)) label=words.delete weight=Weight::DangerQuiet/>
                </div>
            </div>
        </Card>
    }
}
