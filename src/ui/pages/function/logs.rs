//! The Live logs tab.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use super::context::{FunctionContext, FunctionTab};
use super::frame::FunctionFrame;
use crate::api::observe::live_lines;
use crate::ui::observe::live::{LIMIT, LiveLines};
use crate::ui::observe::log_viewer::LogViewer;
use crate::ui::widgets::load::Load;

pub struct FunctionLogsPage;

#[lazy_route]
impl LazyRoute for FunctionLogsPage {
    fn data() -> Self {
        Self
    }

    fn view(this: Self) -> AnyView {
        let FunctionLogsPage = this;
        view! { <FunctionFrame tab=FunctionTab::Logs body=|context| view! { <Logs context/> }.into_any()/> }.into_any()
    }
}

#[component]
fn Logs(context: FunctionContext) -> impl IntoView {
    let lines = Resource::new(|| (), move |()| live_lines(context.function(), LIMIT, None));
    view! {
        <Load
            resource=lines
            children=move |initial| {
                let lines = LiveLines::new(initial);
                lines.follow(context);
                view! { <LogViewer context lines/> }
            }
        />
    }
}
