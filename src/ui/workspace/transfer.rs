//! A workspace's functions, taken away and brought in.

use leptos::prelude::*;

use super::import_form::ImportForm;
use crate::model::id::WorkspaceId;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::card::Card;
use crate::ui::widgets::icon::{Glyph, Icon};

#[component]
pub fn Transfer(workspace: WorkspaceId) -> impl IntoView {
    let words = &use_i18n().spin_apps;
    let path = format!("/api/workspaces/{workspace}");
    view! {
        <Card title=words.workspace_title>
            <div class="card__body form">
                <p class="second">{words.workspace_text}</p>
                <div class="row row--wrap">
                    <a class="button" href=format!("{path}/export") download=""><Icon glyph=Glyph::Download/>{words.workspace_export}</a>
                    <a class="button" href=format!("{path}/export?values=yes") download="">{words.with_values}</a>
                </div>
                <hr/>
                <ImportForm
                    action=format!("{path}/import")
                    accept=".zip"
                    label=words.workspace_file
                    hint=words.workspace_file_hint
                    submit=words.workspace_import
                />
            </div>
        </Card>
    }
}
