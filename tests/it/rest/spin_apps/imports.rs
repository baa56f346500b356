//! What an import makes of exports, of others' apps and of what is wrong.

use http::Method;
use serde_json::json;
use std::collections::BTreeMap;

use super::{HELLO, a_module, a_package, export, import, multipart};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::archive::{unzip, zip};
use crate::support::builders::{Function, a_function, a_workspace, base64, text};

/// What an import must bring back.
const SETTINGS: [&str; 9] = [
    "name",
    "description",
    "memory",
    "timeout",
    "httpMethods",
    "environmentVariables",
    "allowedOutboundHosts",
    "deployOnSave",
    "code",
];

#[tokio::test]
async fn what_was_exported_is_imported_as_it_was() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let originals = [
        a_module(&app, &workspace).await,
        a_package(&app, &workspace).await,
        a_function().named("Empty").create(&app, &workspace).await,
        a_function()
            .named("Broken")
            .with_code("class (")
            .create(&app, &workspace)
            .await,
    ];
    let elsewhere = a_workspace().create(&app).await;
    for original in originals {
        let archive = export(&app, &original.path(), "?values=yes").await;
        let imported = import(&app, &elsewhere.functions(), &archive, &[]).await;
        let imported = imported.with_status(201);
        let before = original.read(&app).await;
        for field in SETTINGS {
            assert_eq!(imported[field], before[field], "{field}");
        }
        for field in ["kind", "files"] {
            assert_eq!(
                imported["source"][field], before["source"][field],
                "{field}"
            );
        }
        let copy = Function {
            id: text(&imported, "id"),
            workspace: elsewhere.id.clone(),
        };
        assert_eq!(copy.read(&app).await, imported);
        let again = export(&app, &copy.path(), "?values=yes").await;
        assert!(again == archive, "the same app: {:?}", unzip(&again).keys());
    }
    assert_eq!(elsewhere.read(&app).await["functionCount"], 4);
}

#[tokio::test]
async fn what_was_changed_in_an_export_counts() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_module(&app, &workspace).await;
    let mut files = unzip(&export(&app, &function.path(), "").await);
    let change = |files: &mut BTreeMap<String, Vec<u8>>, path: &str, from: &str, to: &str| {
        let text = String::from_utf8(files.remove(path).expect(path)).expect("a text");
        assert!(text.contains(from), "{text}");
        files.insert(path.to_owned(), text.replace(from, to).into_bytes());
    };
    change(&mut files, "spin.toml", "*.example.com", "*.example.org");
    change(
        &mut files,
        "blue-faas.toml",
        "memory = 1024",
        "memory = 128",
    );
    change(&mut files, "README.md", "payments", "refunds");
    let packed = |files: &BTreeMap<String, Vec<u8>>| {
        let files: Vec<(&str, &Vec<u8>)> = files
            .iter()
            .map(|(path, content)| (path.as_str(), content))
            .collect();
        zip(&files)
    };
    let elsewhere = a_workspace().create(&app).await;
    let imported = import(&app, &elsewhere.functions(), &packed(&files), &[]).await;
    let imported = imported.with_status(201);
    assert_eq!(
        imported["allowedOutboundHosts"],
        json!(["https://*.example.org:8443"])
    );
    assert_eq!(imported["memory"], 128);
    assert_eq!(imported["source"]["kind"], "file");

    files.insert("prices.py".to_owned(), b"PRICE = 1\n".to_vec());
    let named = [("name", "With prices")];
    let imported = import(&app, &elsewhere.functions(), &packed(&files), &named).await;
    let imported = imported.with_status(201);
    assert_eq!(imported["name"], "With prices");
    assert_eq!(imported["source"]["kind"], "package");

    let mut unmanifested = files.clone();
    unmanifested.remove("spin.toml");
    let named = [("name", "Without a manifest")];
    let imported = import(&app, &elsewhere.functions(), &packed(&unmanifested), &named).await;
    let imported = imported.with_status(201);
    assert_eq!(imported["allowedOutboundHosts"], json!([]));
    assert_eq!(
        imported["environmentVariables"],
        json!({"API_KEY": "", "_X": ""})
    );
    assert_eq!(imported["httpMethods"], json!(["POST", "HEAD"]));

    change(&mut files, "blue-faas.toml", "memory = 128", "memory = 5");
    let refused = import(&app, &elsewhere.functions(), &packed(&files), &named).await;
    let refusal = refused.refused(400, "VALIDATION_ERROR");
    assert_eq!(refusal.field.as_deref(), Some("file"));
    assert!(refusal.message.contains("blue-faas.toml"), "{refusal:?}");
}

#[tokio::test]
async fn other_spin_apps_and_modules_are_imported() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let manifest = "spin_manifest_version = 2\n[application]\nname = \"greeter\"\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"say-hello\"\n[component.say-hello]\nsource = \"app.wasm\"\nallowed_outbound_hosts = [\"https://api.example.com\"]\n[component.say-hello.build]\ncommand = \"componentize-py -w spin-http componentize app -o app.wasm\"\n";
    let archive = zip(&[
        ("greeter/spin.toml", manifest),
        ("greeter/app.py", HELLO),
        (
            "greeter/requirements.txt",
            "spin-sdk==3.1.0\ncomponentize-py==0.13.4\n",
        ),
    ]);
    let imported = import(&app, &workspace.functions(), &archive, &[]).await;
    let imported = imported.with_status(201);
    assert_eq!(imported["name"], "say-hello");
    assert_eq!(
        imported["allowedOutboundHosts"],
        json!(["https://api.example.com"])
    );
    assert_eq!(
        imported["httpMethods"].as_array().map(Vec::len),
        Some(7),
        "Spin lets every method pass"
    );
    assert_eq!(imported["source"]["kind"], "package");

    let path = format!("{}/import", workspace.functions());
    let module = ("My hello.py", HELLO.as_bytes());
    let imported = app.upload_bytes(&path, module, &[]).await.with_status(201);
    assert_eq!(imported["name"], "My hello");
    assert_eq!(imported["code"], base64(HELLO));
    assert_eq!(imported["source"]["kind"], "file");

    let wasm = ("app.wasm", b"\0asm".as_slice());
    assert_eq!(
        app.upload_bytes(&path, wasm, &[]).await.refused_field(),
        "file"
    );
    let leaving = zip(&[("../app.py", HELLO)]);
    let refused = import(&app, &workspace.functions(), &leaving, &[]).await;
    assert_eq!(refused.refused_field(), "file");
    let nowhere = import(&app, "/api/workspaces/ws-missing/functions", &archive, &[]).await;
    nowhere.refused(404, "NOT_FOUND");
    assert_eq!(workspace.read(&app).await["functionCount"], 2);
}

#[tokio::test]
async fn a_browsers_form_is_answered_with_a_page() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let send = async |path: String, archive: &[u8]| {
        let request = app
            .request(Method::POST, &path)
            .header("accept", "text/html,application/xhtml+xml")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(multipart("b", archive));
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.header("location").to_owned()
    };
    let pages = format!("/workspaces/{}", workspace.id);
    let function = zip(&[("app.py", HELLO)]);
    let place = send(format!("{}/import", workspace.functions()), &function).await;
    assert!(
        place.starts_with(&format!("{pages}/functions/fn-")),
        "{place}"
    );
    assert!(place.ends_with("/code"), "{place}");

    let place = send(format!("{}/import", workspace.functions()), &function).await;
    let form = format!("{pages}/functions/new?refused=Nothing%20was%20imported");
    assert!(place.starts_with(&form), "{place}");
    let page = app.get(place.split('#').next().unwrap_or_default()).await;
    assert!(
        page.text()
            .contains("Nothing was imported: the workspace has")
    );

    let place = send(format!("{}/import", workspace.path()), b"no archive").await;
    let form = format!("{pages}/settings?refused=The%20archive");
    assert!(place.starts_with(&form), "{place}");
}

#[tokio::test]
async fn what_is_wrong_in_a_manifest_is_told_of_the_file() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let component = "spin_manifest_version = 2\n[component.shop]\n";
    for (setting, words) in [
        (
            "allowed_outbound_hosts = [\"example.com\"]",
            "\"example.com\" is not an outbound host",
        ),
        ("environment = { \"1A\" = \"x\" }", "1A"),
    ] {
        let manifest = format!("{component}{setting}\n");
        let archive = zip(&[("spin.toml", manifest.as_str()), ("app.py", HELLO)]);
        let imported = import(&app, &workspace.functions(), &archive, &[]).await;
        let replaced = app
            .request(Method::PUT, &format!("{}/source", function.path()))
            .header("content-type", "multipart/form-data; boundary=b")
            .body(multipart("b", &archive));
        for answer in [imported, Answer::of(replaced).await] {
            let refusal = answer.refused(400, "VALIDATION_ERROR");
            assert_eq!(refusal.field.as_deref(), Some("file"), "{refusal:?}");
            assert!(refusal.message.starts_with("spin.toml: "), "{refusal:?}");
            assert!(refusal.message.contains(words), "{refusal:?}");
        }
    }
}
