//! The manifest that a cluster would be given.

use leptos::prelude::*;

use crate::model::error::Error;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::copy_button::CopyButton;
use crate::ui::widgets::icon::{Glyph, Icon};
use crate::ui::widgets::load::Load;

#[component]
pub fn ManifestPreview(manifest: Resource<Result<String, Error>>) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    view! {
        <details class="more">
            <summary><Icon glyph=Glyph::Right/>{words.manifest}</summary>
            <div class="stack stack--s">
                <p class="field__hint">{words.manifest_text}</p>
                <Load resource=manifest let:yaml>
                    <div class="code">
                        <div class="code__head"><span>"spinapp.yaml"</span><CopyButton text=yaml.clone() label=words.copy_manifest/></div>
                        <pre tabindex="0">{yaml}</pre>
                    </div>
                </Load>
            </div>
        </details>
    }
}
