//! The settings of a function as a form.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::functions::{SaveSettings, function_detail};
use crate::model::platform::PlatformKind;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::button::{SubmitButton, Weight};
use crate::ui::widgets::card::Card;
use crate::ui::widgets::field::error_of_form;
use crate::ui::widgets::notice::{Banner, FormError, Tone, conflict_or_error};
use crate::ui::widgets::settings_fields::{
    SETTINGS_FIELDS, SettingsFields, SettingsOf, settings_of,
};
use crate::ui::widgets::toast::use_toasts;

/// `generation` counts how often the form was filled anew from what is saved.
#[component]
pub fn SettingsCard(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().function.settings;
    let toasts = use_toasts();
    let save = ServerAction::<SaveSettings>::new();
    let generation = RwSignal::new(0_u32);
    let reload = move || {
        let (workspace, function) = (context.workspace(), context.function());
        spawn_local(async move {
            match function_detail(workspace, function).await {
                Ok(detail) => {
                    _ = context.detail.try_set(detail);
                    generation.try_update(|generation| *generation += 1);
                }
                Err(error) => toasts.failed(error.message),
            }
        });
    };
    let is_cluster = context
        .detail
        .with_untracked(|detail| detail.platform == PlatformKind::Cluster);
    let value = save.value();
    Effect::new(move |_| {
        if value.with(|value| matches!(value, Some(Ok(())))) {
            toasts.succeeded(words.saved.to_owned());
            reload();
        }
    });
    let take = move |_| {
        save.value().set(None);
        reload();
    };
    let (is_conflict, other) = conflict_or_error(save);
    view! {
        {move || {
            is_conflict
                .get()
                .then(|| {
                    let action = move || view! { <button type="button" class="button button--s" on:click=take>{words.conflict_load}</button> };
                    view! { <Banner tone=Tone::Warn action><strong>{words.conflict_title}</strong> " " {words.conflict_text}</Banner> }
                })
        }}
        <Card title=words.general>
            {move || {
                generation.track();
                // What the function was when the form was filled; the polled detail must not replace what is being typed.
                let (settings, etag) = context.detail.with_untracked(|detail| (settings_of(&detail.function), detail.etag.clone()));
                view! {
                    <ActionForm action=save attr:class="card__body form">
                        <input type="hidden" name="workspace" value=context.workspace().to_string()/>
                        <input type="hidden" name="function" value=context.function().to_string()/>
                        <input type="hidden" name="etag" value=etag/>
                        <FormError error=error_of_form(other, SETTINGS_FIELDS)/>
                        <SettingsFields initial=settings of=SettingsOf::ExistingFunction error=other/>
                        {is_cluster.then(|| view! {
                            <p class="field__hint warn">{use_i18n().function.code.cluster_environment}</p>
                            <p class="field__hint warn">{words.cluster_note}</p>
                        })}
                        <p class="field__hint">{words.apply_note}</p>
                        <div class="row"><SubmitButton label=words.save weight=Weight::Primary busy=save.pending()/></div>
                    </ActionForm>
                }
            }}
        </Card>
    }
}
