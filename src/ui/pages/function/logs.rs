//! The Live logs tab.

use leptos::prelude::*;

use super::context::{FunctionTab, use_function_ids};
use super::frame::FunctionFrame;
use crate::api::observe::live_lines;
use crate::ui::observe::live::{LIMIT, LiveLines};
use crate::ui::observe::log_viewer::LogViewer;
use crate::ui::widgets::load::Load;

#[component]
pub fn LogsTab() -> impl IntoView {
    let ids = use_function_ids();
    let initial = Resource::new(
        move || ids.get(),
        |ids| async move { live_lines(ids?.1, LIMIT, None).await },
    );
    let body = move |context| {
        view! {
            <Load
                resource=initial
                children=move |initial| {
                    let lines = LiveLines::new(initial);
                    lines.follow(context);
                    view! { <LogViewer context lines/> }
                }
            />
        }
        .into_any()
    };
    view! { <FunctionFrame tab=FunctionTab::Logs body/> }
}
