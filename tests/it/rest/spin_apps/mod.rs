//! Functions and workspaces as Spin apps, and back.

mod exports;
mod imports;
mod workspaces;

use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::archive::zip;
use crate::support::builders::{Function, Workspace, a_function, base64};

const HELLO: &str = include_str!("../../../fixtures/hello.py");

async fn export(app: &TestApp, path: &str, query: &str) -> Vec<u8> {
    let answer = app.get(&format!("{path}/export{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/zip");
    answer.body.to_vec()
}

async fn import(app: &TestApp, path: &str, archive: &[u8], texts: &[(&str, &str)]) -> Answer {
    app.upload_bytes(&format!("{path}/import"), ("app.zip", archive), texts)
        .await
}

/// A package with its own manifest, notes and requirements, and an entry that was edited after the upload.
async fn a_package(app: &TestApp, workspace: &Workspace) -> Function {
    let function = a_function()
        .named("Shop")
        .with("memory", 512)
        .create(app, workspace)
        .await;
    let manifest = "spin_manifest_version = 2\n[component.shop]\nallowed_outbound_hosts = [\"https://api.example.com\"]\nenvironment = { MODE = \"test\" }\n[component.shop.build]\ncommand = \"componentize-py -w spin-http componentize shop.main -o app.wasm\"\n";
    let archive = zip(&[
        ("spin.toml", manifest),
        ("shop/__init__.py", ""),
        ("shop/main.py", HELLO),
        ("shop/prices.json", "{}"),
        ("README.md", "# The shop"),
        ("requirements.txt", "idna==3.10\nspin-sdk==3.1.0\n"),
        ("blue-faas.toml", "left by an earlier export"),
    ]);
    let source = format!("{}/source", function.path());
    let replaced = Answer::of(
        app.request(Method::PUT, &source)
            .header("content-type", "multipart/form-data; boundary=b")
            .body(multipart("b", &archive)),
    );
    replaced.await.with_status(200);
    let edited = json!({"code": base64(&format!("{HELLO}\n# edited\n")), "environmentVariables": {"MODE": "live", "KEY": "x"}});
    app.patch(&function.path(), &edited).await.with_status(200);
    function
}

fn multipart(boundary: &str, archive: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"app.zip\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(archive);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

async fn a_module(app: &TestApp, workspace: &Workspace) -> Function {
    a_function()
        .named("승인")
        .with("description", "Approves \"payments\"\nand more")
        .with("memory", 1024)
        .with("timeout", 7)
        .with("httpMethods", json!(["POST", "HEAD"]))
        .with(
            "environmentVariables",
            json!({"API_KEY": "s3cret \"quoted\"", "_X": "hidden value"}),
        )
        .with(
            "allowedOutboundHosts",
            json!(["https://*.example.com:8443"]),
        )
        .with("deployOnSave", true)
        .with_code(HELLO)
        .create(app, workspace)
        .await
}

fn manifest(files: &BTreeMap<String, Vec<u8>>) -> Value {
    let text = std::str::from_utf8(&files["spin.toml"]).expect("a text");
    toml::from_str(text).expect("TOML")
}
