//! The document around the console, and its table of routes.

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

use crate::ui::browser;
use crate::ui::frame::Frame;
use crate::ui::i18n::use_i18n;
use crate::ui::pages::bundles::{
    BuildsPage, FunctionCodePage, FunctionDeployPage, FunctionExecutionsPage, FunctionLogsPage,
    FunctionMetricsPage, FunctionOverviewPage, FunctionSettingsPage, FunctionTestPage,
    FunctionVersionPage, FunctionsPage, LogsPage, NewFunctionPage, OverviewPage,
    WorkspaceSettingsPage, WorkspacesPage,
};
use crate::ui::pages::not_found::NotFound;
use crate::ui::widgets::relative_time::provide_now;
use crate::ui::widgets::toast::provide_toasts;

/// The HTML document. Its scripts carry the request's nonce when the server provides one (`leptos::nonce`).
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang=use_i18n().language>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <HashedStylesheet options=options.clone() id="leptos"/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// Pages are rendered whole (`SsrMode::Async`): complete without JavaScript, and with the status that their data calls for.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_toasts();
    provide_now();
    browser::use_closing_menus();
    Effect::new(|_| browser::mark_hydrated());
    view! {
        <Router>
            <Frame>
                <Routes fallback=NotFound>
                    <Route path=path!("/") view={Lazy::<WorkspacesPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws") view={Lazy::<OverviewPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions") view={Lazy::<FunctionsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/new") view={Lazy::<NewFunctionPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/:fn") view={Lazy::<FunctionOverviewPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/:fn/code") view={Lazy::<FunctionCodePage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/:fn/deploy") view={Lazy::<FunctionDeployPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/:fn/test") view={Lazy::<FunctionTestPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/:fn/executions") view={Lazy::<FunctionExecutionsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/:fn/logs") view={Lazy::<FunctionLogsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/:fn/metrics") view={Lazy::<FunctionMetricsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/:fn/settings") view={Lazy::<FunctionSettingsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/functions/:fn/versions/:version") view={Lazy::<FunctionVersionPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/builds") view={Lazy::<BuildsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/logs") view={Lazy::<LogsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:ws/settings") view={Lazy::<WorkspaceSettingsPage>::new()} ssr=SsrMode::Async/>
                </Routes>
            </Frame>
        </Router>
    }
}
