//! The Overview tab.

use super::{Text, messages};

messages!(
    OverviewMessages {
        invocations: Text = "Invocations 24 h",
        errors: Text = "Errors 24 h",
        average: Text = "Average duration 24 h",
        average_note: Text = "weighted by invocations",
        p95: Text = "p95 duration 24 h",
        p99_note: fn(&str) -> String = |value| format!("p99 {value}"),
        none_yet: Text = "none yet",
        endpoint: Text = "Endpoint",
        call_with: Text = "Call it with",
        copy_call: Text = "Copy call",
        endpoint_none: Text = "The address appears here after the first deployment.",
        endpoint_disabled: Text = "The function is disabled: its address answers 503.",
        app_name_will_be: Text = "App name",
        cluster_address: Text = "Inside the cluster",
        cluster_pending: Text = "The app has no address inside the cluster yet. It appears here as soon as there is one.",
        cluster_bypass: Text = "Calls inside the cluster bypass this server: methods, timeout and whether the function is disabled do not hold for them, and they are not recorded.",
        copy_cluster_address: Text = "Copy address inside the cluster",
        go_deploy: Text = "Go to Deploy",
        configuration: Text = "Configuration",
        edit: Text = "Edit",
        runtime: Text = "Runtime",
        memory: Text = "Memory",
        timeout: Text = "Timeout",
        methods: Text = "Methods",
        environment: Text = "Environment",
        variables: fn(usize) -> String = |count| match count {
            0 => "no variables".to_owned(),
            1 => "1 variable".to_owned(),
            _ => format!("{count} variables"),
        },
        outbound: Text = "May call",
        outbound_none: Text = "no other hosts",
        deployed: Text = "Deployed",
        never: Text = "never",
        modified: Text = "Changed",
        source: Text = "Source",
        source_file: fn(&str) -> String = |size| format!("one module, {size}"),
        source_package: fn(u32, &str) -> String = |files, size| format!("package of {files} files, {size}"),
        identifier: Text = "Identifier",
        chart_title: Text = "Invocations and errors, 24 h",
    }
);
