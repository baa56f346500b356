//! Exports that Spin builds and runs.

use http::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::journey::{BUILD_TIMEOUT, has_ended, task_when};
use crate::platform::fixture::{Fixture, text as body_of};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::archive::unzip;
use crate::support::builders::{Function, a_function, a_workspace, text};
use crate::support::components::{component, environment};

/// What a build here does beyond componentize-py's: a handler from a factory, and a module that a request imports.
const SOURCE: &str = "\
from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class Handler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        import colorsys
        hue = colorsys.rgb_to_hsv(1.0, 0.0, 0.0)[0]
        return Response(200, {'content-type': 'text/plain'}, f'exported {hue}'.encode())


def init_incoming_handler():
    return Handler()
";

async fn export(app: &TestApp, function: &Function, query: &str) -> Answer {
    app.get(&format!("{}/export{query}", function.path())).await
}

/// Calls a component that no server of ours has built or knows.
async fn call(file: PathBuf) -> String {
    let fixture = Fixture::new();
    fixture.deploy("exported", &component(file)).await;
    body_of(&fixture.call("exported", "/").await)
}

#[tokio::test]
async fn the_command_of_an_export_builds_what_the_function_is() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with_code(SOURCE)
        .create(&app, &workspace)
        .await;
    let exported = export(&app, &function, "").await;
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in unzip(&exported.body) {
        std::fs::write(folder.path().join(path), content).expect("written");
    }
    build(folder.path());
    assert_eq!(call(folder.path().join("app.wasm")).await, "exported 0.0");
}

/// As `spin build` does: the manifest's command by a shell, with the tools in its path.
fn build(folder: &Path) {
    let manifest = std::fs::read_to_string(folder.join("spin.toml")).expect("a manifest");
    let manifest: Value = toml::from_str(&manifest).expect("TOML");
    let command = text(&manifest["component"]["approve"]["build"], "command");
    let venv = environment();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &command])
        .env("PATH", format!("{}:{path}", venv.join("bin").display()))
        .env("VIRTUAL_ENV", &venv)
        .current_dir(folder)
        .output()
        .expect("a shell");
    assert!(
        output.status.success(),
        "{command}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn an_export_holds_the_component_of_what_is_saved() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .with_code(SOURCE)
        .create(&app, &workspace)
        .await;
    let accepted = app
        .upload(
            Method::POST,
            "/api/v1/build-and-push",
            ("app.py", SOURCE),
            &[
                ("workspace_id", workspace.id.as_str()),
                ("function_id", function.id.as_str()),
                ("app_name", "exported"),
                ("registry_url", "registry.example.com/team/exported"),
            ],
        )
        .await
        .with_status(202);
    let built = task_when(&app, &text(&accepted, "task_id"), BUILD_TIMEOUT, has_ended).await;
    assert_eq!(built["status"], "done", "{built}");

    let files = unzip(&export(&app, &function, "?component=yes").await.body);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.wasm");
    std::fs::write(&file, &files["app.wasm"]).expect("written");
    assert_eq!(call(file).await, "exported 0.0");

    let changed = json!({"code": crate::support::builders::base64("x = 1\n")});
    app.patch(&function.path(), &changed).await.with_status(200);
    let refused = export(&app, &function, "?component=yes").await;
    refused.refused(409, "CONFLICT");
}
