//! README.md of an export.

use std::fmt::Write as _;

use crate::model::deployment::AppName;
use crate::service::functions::FunctionRecord;

/// What of a function is in an export.
#[derive(Clone, Copy)]
pub(super) struct Contents {
    pub(super) values: bool,
    pub(super) component: bool,
}

pub(super) fn of_function(record: &FunctionRecord, app: &AppName, contents: Contents) -> String {
    let mut text = format!("# {}\n\n", record.name);
    if let Some(description) = &record.description {
        _ = write!(text, "{description}\n\n");
    }
    text.push_str("A function of Blue FaaS as an app for [Spin](https://spinframework.dev).\n\n## Build and run\n\n");
    if contents.component {
        text.push_str("`app.wasm` was built of these sources, so `spin up` alone runs it. After a change:\n\n");
    }
    text.push_str("With Spin 3 or newer and Python 3.10 or newer:\n\n```sh\npython3 -m venv .venv\n. .venv/bin/activate\npip install -r requirements.txt\nspin build\nspin up\n```\n\n");
    variables(record, contents.values, &mut text);
    _ = write!(
        text,
        "## What Spin does not know\n\nBlue FaaS keeps to these settings; Spin does not. They stand in `blue-faas.toml`, from which an import restores them.\n\n\
         | setting | value |\n|---|---|\n| memory | {} MB an invocation |\n| timeout | {} s |\n| methods | {} |\n\n",
        record.memory.megabytes(),
        record.timeout.seconds(),
        record.http_methods.joined()
    );
    _ = write!(
        text,
        "## Back into Blue FaaS\n\nWith the address of the console in `BLUE_FAAS` and a workspace's id in `WS`, in this folder:\n\n\
         ```sh\nzip -r ../{app}.zip . -x '.venv/*' app.wasm\ncurl -F file=@../{app}.zip \"$BLUE_FAAS/api/workspaces/$WS/functions/import\"\n```\n"
    );
    text
}

fn variables(record: &FunctionRecord, values: bool, text: &mut String) {
    let environment = &record.environment_variables;
    if environment.is_empty() {
        return;
    }
    text.push_str("## Variables\n\n");
    if values {
        text.push_str("`spin.toml` holds the values of the function's environment. Do not publish it if one of them is secret.\n\n");
        return;
    }
    text.push_str("The function reads the variables below; their values are not in this export. Spin gives them to it from its own environment and command line:\n\n```sh\n");
    let asked = environment
        .spin_variables()
        .into_keys()
        .map(|name| format!("SPIN_VARIABLE_{}=… ", name.to_ascii_uppercase()));
    let mut command: String = asked.collect();
    command.push_str("spin up");
    for (name, _) in environment.iter() {
        _ = write!(command, " --env {name}=…");
    }
    _ = write!(
        text,
        "{command}\n```\n\nAn import into Blue FaaS makes them empty, to be filled in the function's settings.\n\n"
    );
}

/// `folders` with the names of the functions in them.
pub(super) fn of_workspace(name: &str, folders: &[(String, String)]) -> String {
    let mut text = format!(
        "# {name}\n\nThe functions of a Blue FaaS workspace, an app for [Spin](https://spinframework.dev) each. Every folder says how it is built and run.\n\n| folder | function |\n|---|---|\n"
    );
    for (folder, function) in folders {
        let function = function.replace('|', "\\|");
        _ = writeln!(text, "| [`{folder}`]({folder}/) | {function} |");
    }
    text.push_str(
        "\n## Back into Blue FaaS\n\nWith the address of the console in `BLUE_FAAS` and a workspace's id in `WS`, in this folder:\n\n\
         ```sh\nzip -r ../workspace.zip . -x '*/.venv/*' '*/app.wasm'\ncurl -F file=@../workspace.zip \"$BLUE_FAAS/api/workspaces/$WS/import\"\n```\n",
    );
    text
}
