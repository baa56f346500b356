//! A function to take away.

use leptos::prelude::*;

use crate::ui::i18n::use_i18n;
use crate::ui::pages::function::FunctionContext;
use crate::ui::widgets::card::Card;
use crate::ui::widgets::icon::{Glyph, Icon};

/// Where the function comes as an archive.
pub fn export_href(context: FunctionContext) -> String {
    let (workspace, function) = (context.workspace(), context.function());
    format!("/api/workspaces/{workspace}/functions/{function}/export")
}

#[component]
pub fn ExportCard(context: FunctionContext) -> impl IntoView {
    let words = &use_i18n().spin_apps;
    let plain = export_href(context);
    let values = format!("{plain}?values=yes");
    let component = format!("{plain}?component=yes");
    let has_variables = context.part(|detail| !detail.function.environment_variables.is_empty());
    // There is one only of what was built.
    let is_built = context.part(|detail| {
        detail.function.deployed_version.is_some() && !detail.function.undeployed_changes
    });
    view! {
        <Card title=words.title>
            <div class="card__body form">
                <p class="second">{words.function_text}</p>
                <div class="row row--wrap">
                    <a class="button" href=plain download=""><Icon glyph=Glyph::Download/>{words.export}</a>
                    {move || has_variables.get().then(|| view! { <a class="button" href=values.clone() download="">{words.with_values}</a> })}
                    {move || is_built.get().then(|| view! { <a class="button" href=component.clone() download="">{words.with_component}</a> })}
                </div>
                {move || has_variables.get().then(|| view! { <p class="field__hint">{words.values_hint}</p> })}
            </div>
        </Card>
    }
}
