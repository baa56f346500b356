//! The manifest that a cluster would be given.

use base64::Engine as _;
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
                        <div class="code__head"><span>"spinapp.yaml"</span><span class="row"><DownloadLink yaml=yaml.clone()/><CopyButton text=yaml.clone() label=words.copy_manifest/></span></div>
                        <pre tabindex="0">{yaml}</pre>
                    </div>
                </Load>
            </div>
        </details>
    }
}

#[component]
fn DownloadLink(yaml: String) -> impl IntoView {
    let words = &use_i18n().function.deploy;
    let encoded = base64::engine::general_purpose::STANDARD.encode(yaml);
    let href = format!("data:application/yaml;base64,{encoded}");
    view! {
        <a class="button button--s button--ghost button--icon" href=href download="spinapp.yaml" aria-label=words.download_manifest><Icon glyph=Glyph::Download/></a>
    }
}
