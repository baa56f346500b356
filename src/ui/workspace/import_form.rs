//! A form that sends an archive. The browser sends it itself, with and without script, and follows the answer to a page.

use leptos::prelude::*;

use crate::ui::i18n::use_i18n;
use crate::ui::pages::use_query;
use crate::ui::widgets::button::SubmitButton;
use crate::ui::widgets::field::Field;
use crate::ui::widgets::icon::Glyph;
use crate::ui::widgets::notice::FormError;

/// `action` answers a refusal with the page's own address and the reason in its query.
#[component]
pub fn ImportForm(
    #[prop(into)] action: Signal<String>,
    /// Endings of files, as in `.zip,.py`.
    accept: &'static str,
    label: &'static str,
    hint: &'static str,
    submit: &'static str,
) -> impl IntoView {
    let words = &use_i18n().spin_apps;
    let refused = use_query("refused");
    view! {
        <FormError error=Signal::derive(move || refused.get())/>
        <form method="post" enctype="multipart/form-data" action=action class="form form--narrow">
            <Field id="import-file" label=label hint=hint.to_owned()>
                <input class="input" type="file" id="import-file" name="file" accept=accept required aria-describedby="import-file-hint"/>
            </Field>
            <label class="check"><input type="checkbox" name="on_conflict" value="rename"/>{words.rename}</label>
            <div><SubmitButton label=submit glyph=Glyph::Upload/></div>
        </form>
    }
}
