//! The header and the tabs of a function's pages.

use super::{Text, messages};

messages!(
    FrameMessages {
        overview: Text = "Overview",
        code: Text = "Code",
        deploy: Text = "Deploy",
        test: Text = "Test & Run",
        executions: Text = "Executions",
        logs: Text = "Live logs",
        metrics: Text = "Metrics",
        settings: Text = "Settings",
        tabs_label: Text = "Function",
        functions: Text = "Functions",
        enable: Text = "Enable",
        disable: Text = "Disable",
        open_test: Text = "Test",
        deploy_first: Text = "Deploy",
        deploy_changes: Text = "Deploy changes",
        build_again: Text = "Build again",
        deploy_again: Text = "Deploy again",
        cancel_build: Text = "Cancel build",
        more_actions: Text = "More actions",
        duplicate: Text = "Duplicate",
        delete_ask: Text = "Delete…",
        copy_url: Text = "Copy URL",
        open_url: Text = "Open URL",
        serving: Text = "Serving",
        serving_foreign: Text = "Serving an image that was not built for this function",
        not_deployed: Text = "Not deployed yet",
        undeployed_changes: Text = "Changes are not deployed yet",
        still_answering: Text = "Still answering: a failed build never replaces what serves",
        delete_title: fn(&str) -> String = |name| format!("Delete {name}"),
        delete_text: Text = "Its address stops answering at once. Deleted with it, for good:",
        delete_code: Text = "the code and its settings",
        delete_versions: Text = "all builds, versions and deployments",
        delete_executions: Text = "all recorded executions and their output",
        delete_confirm: Text = "Delete function",
        cancel: Text = "Cancel",
    }
);
