//! The Settings tab.

use leptos::prelude::*;

use super::context::{FunctionContext, FunctionTab};
use super::frame::FunctionFrame;
use crate::ui::settings::danger::DangerZone;
use crate::ui::settings::export::ExportCard;
use crate::ui::settings::form::SettingsCard;

#[component]
pub fn SettingsTab() -> impl IntoView {
    view! { <FunctionFrame tab=FunctionTab::Settings body=|context| view! { <Settings context/> }.into_any()/> }
}

#[component]
fn Settings(context: FunctionContext) -> impl IntoView {
    view! {
        <div class="settings-page stack">
            <SettingsCard context/>
            <ExportCard context/>
            <DangerZone context/>
        </div>
    }
}
