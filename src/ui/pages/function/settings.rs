//! The Settings tab.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use super::context::{FunctionContext, FunctionTab};
use super::frame::FunctionFrame;
use crate::ui::settings::danger::DangerZone;
use crate::ui::settings::form::SettingsCard;

pub struct FunctionSettingsPage;

#[lazy_route]
impl LazyRoute for FunctionSettingsPage {
    fn data() -> Self {
        Self
    }

    fn view(this: Self) -> AnyView {
        let FunctionSettingsPage = this;
        view! { <FunctionFrame tab=FunctionTab::Settings body=|context| view! { <Settings context/> }.into_any()/> }.into_any()
    }
}

#[component]
fn Settings(context: FunctionContext) -> impl IntoView {
    view! {
        <div class="settings-page stack">
            <SettingsCard context/>
            <DangerZone context/>
        </div>
    }
}
