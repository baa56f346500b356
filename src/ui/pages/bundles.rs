//! The routes' pages, in the bundles in which a browser loads them.
//!
//! A bundle is one lazily loaded file with all that its pages alone need. A bundle for each page was measured too: what pages share
//! then falls into hundreds of small files, each a request of its own.

use leptos::prelude::*;
use leptos_router::LazyRoute;

use super::builds::Builds;
use super::function::{
    CodeTab, DeployTab, ExecutionsTab, LogsTab, MetricsTab, OverviewTab, SettingsTab, TestTab,
    VersionTab,
};
use super::functions::Functions;
use super::logs::Logs;
use super::new_function::NewFunction;
use super::overview::Overview;
use super::workspace_settings::Settings;
use super::workspaces::Workspaces;

/// A lazily loaded function that shows any page of a bundle, and for each page the type that the router knows it by.
macro_rules! bundle {
    ($choice:ident, $show:ident, $preload:ident { $($page:ident => $component:ident,)+ }) => {
        #[allow(clippy::enum_variant_names, reason = "they are the pages' names")]
        enum $choice {
            $($page,)+
        }

        #[lazy]
        fn $show(page: $choice) -> AnyView {
            match page {
                $($choice::$page => view! { <$component/> }.into_any(),)+
            }
        }

        $(
            #[derive(Clone, Copy, Debug)]
            pub struct $page;

            impl LazyRoute for $page {
                fn data() -> Self {
                    Self
                }

                async fn view(_: Self) -> AnyView {
                    $show($choice::$page).await
                }

                async fn preload() {
                    // Only the browser's half is split.
                    #[cfg(target_arch = "wasm32")]
                    $preload().await;
                }
            }
        )+
    };
}

bundle!(Home, show_home, __preload_show_home {
    WorkspacesPage => Workspaces,
});

bundle!(OfWorkspace, show_of_workspace, __preload_show_of_workspace {
    OverviewPage => Overview,
    FunctionsPage => Functions,
    NewFunctionPage => NewFunction,
    BuildsPage => Builds,
    LogsPage => Logs,
    WorkspaceSettingsPage => Settings,
});

bundle!(OfFunction, show_of_function, __preload_show_of_function {
    FunctionOverviewPage => OverviewTab,
    FunctionCodePage => CodeTab,
    FunctionDeployPage => DeployTab,
    FunctionTestPage => TestTab,
    FunctionExecutionsPage => ExecutionsTab,
    FunctionLogsPage => LogsTab,
    FunctionMetricsPage => MetricsTab,
    FunctionSettingsPage => SettingsTab,
    FunctionVersionPage => VersionTab,
});
