//! What an export holds.

use serde_json::json;

use super::{HELLO, a_module, a_package, export, import, manifest};
use crate::support::app::TestApp;
use crate::support::archive::unzip;
use crate::support::builders::a_workspace;

#[tokio::test]
async fn an_export_is_a_spin_app_without_the_values_of_its_variables() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_module(&app, &workspace).await;
    let answer = app.get(&format!("{}/export", function.path())).await;
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"function.zip\"",
        "a name in Hangul leaves nothing for an address"
    );
    let files = unzip(&answer.body);
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            ".gitignore",
            "README.md",
            "app.py",
            "blue-faas.toml",
            "requirements.txt",
            "spin.toml"
        ]
    );
    assert_eq!(files["app.py"], HELLO.as_bytes());
    assert_eq!(
        files["requirements.txt"],
        b"componentize-py==0.17.2\nspin-sdk==3.4.1\n"
    );
    for (path, content) in &files {
        let content = String::from_utf8_lossy(content);
        assert!(!content.contains("s3cret"), "{path}: {content}");
        assert!(!content.contains("hidden value"), "{path}: {content}");
    }
    let readme = String::from_utf8_lossy(&files["README.md"]);
    for words in [
        "1024 MB",
        "7 s",
        "POST, HEAD",
        "SPIN_VARIABLE_API_KEY=… spin up --env API_KEY=… --env _X=…",
    ] {
        assert!(readme.contains(words), "{words}: {readme}");
    }
    let manifest = manifest(&files);
    assert_eq!(
        manifest,
        json!({
            "spin_manifest_version": 2,
            "application": {"name": "function", "version": "0.1.0", "description": "Approves \"payments\"\nand more"},
            "variables": {"api_key": {"required": true}},
            "trigger": {"http": [{"route": "/...", "component": "function"}]},
            "component": {"function": {
                "source": "app.wasm",
                "allowed_outbound_hosts": ["https://*.example.com:8443"],
                "key_value_stores": ["default"],
                "variables": {"api_key": "{{ api_key }}"},
                "build": {
                    "command": "componentize-py -w spin-http componentize app -o app.wasm",
                    "watch": ["**/*.py", "requirements.txt"],
                },
            }},
        })
    );
}

#[tokio::test]
async fn values_are_exported_when_they_are_asked_for() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_module(&app, &workspace).await;
    let files = unzip(&export(&app, &function.path(), "?values=yes").await);
    let manifest = manifest(&files);
    let component = &manifest["component"]["function"];
    assert_eq!(
        component["environment"],
        json!({"API_KEY": "s3cret \"quoted\"", "_X": "hidden value"})
    );
    assert_eq!(
        manifest["variables"],
        json!({"api_key": {"default": "s3cret \"quoted\""}})
    );
    let path = format!("{}/export?values=perhaps", function.path());
    assert_eq!(app.get(&path).await.refused_field(), "values");
    let path = format!("{}/export?component=yes", function.path());
    let refusal = app.get(&path).await.refused(409, "CONFLICT");
    assert_eq!(refusal.field.as_deref(), Some("component"));
    let missing = format!("{}/fn-missing/export", workspace.functions());
    app.get(&missing).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_package_keeps_its_files_in_an_export() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_package(&app, &workspace).await;
    let files = unzip(&export(&app, &function.path(), "").await);
    assert_eq!(files["README.md"], b"# The shop");
    assert_eq!(files["shop/prices.json"], b"{}");
    assert!(files["shop/main.py"].ends_with(b"# edited\n"));
    assert_eq!(
        files["requirements.txt"],
        b"idna==3.10\ncomponentize-py==0.17.2\nspin-sdk==3.4.1\n"
    );
    let manifest = manifest(&files);
    assert_eq!(
        manifest["component"]["shop"]["build"]["command"],
        "componentize-py -w spin-http componentize shop.main -o app.wasm"
    );
    // Its settings are the function's of now, not those that it was uploaded with.
    assert_eq!(
        manifest["variables"],
        json!({"key": {"required": true}, "mode": {"required": true}})
    );

    let without_values = export(&app, &function.path(), "").await;
    let elsewhere = a_workspace().create(&app).await;
    let imported = import(&app, &elsewhere.functions(), &without_values, &[]).await;
    assert_eq!(
        imported.with_status(201)["environmentVariables"],
        json!({"KEY": "", "MODE": ""}),
        "names that wait for their values"
    );
}
