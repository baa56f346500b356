//! Functions and workspaces as Spin apps, and back.

use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::archive::{unzip, zip};
use crate::support::builders::{Function, Workspace, a_function, a_workspace, base64, text};

const HELLO: &str = include_str!("../../fixtures/hello.py");
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

fn manifest(files: &BTreeMap<String, Vec<u8>>) -> Value {
    let text = std::str::from_utf8(&files["spin.toml"]).expect("a text");
    toml::from_str(text).expect("TOML")
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

/// Names of a workspace's functions, as they are listed.
async fn names(app: &TestApp, workspace: &Workspace) -> Vec<String> {
    let path = format!("{}?fields=summary", workspace.functions());
    let list = app.get(&path).await.with_status(200);
    let functions = list.as_array().expect("a list").iter();
    let mut names: Vec<String> = functions.map(|function| text(function, "name")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_workspace_is_exported_and_imported_whole() {
    let app = TestApp::start();
    let workspace = a_workspace().named("Payments | live").create(&app).await;
    a_module(&app, &workspace).await;
    a_package(&app, &workspace).await;
    for _ in 0..30 {
        a_function().named("Twin").create(&app, &workspace).await;
    }
    let archive = export(&app, &workspace.path(), "?values=yes").await;
    let files = unzip(&archive);
    for path in [
        "README.md",
        "function/app.py",
        "shop/shop/main.py",
        "twin/spin.toml",
        "twin-30/blue-faas.toml",
    ] {
        assert!(files.contains_key(path), "{path}: {:?}", files.keys());
    }
    let elsewhere = a_workspace().named("Payments | live").create(&app).await;
    let imported = import(&app, &elsewhere.path(), &archive, &[]).await;
    let imported = imported.with_status(201);
    assert_eq!(imported.as_array().map(Vec::len), Some(32));
    assert_eq!(elsewhere.read(&app).await["functionCount"], 32);
    assert_eq!(names(&app, &elsewhere).await, names(&app, &workspace).await);
    assert!(export(&app, &elsewhere.path(), "?values=yes").await == archive);
    let plain = export(&app, &workspace.path(), "").await;
    let plain = unzip(&plain);
    let manifest = String::from_utf8_lossy(&plain["function/spin.toml"]);
    assert!(!manifest.contains("s3cret"), "{manifest}");
}

#[tokio::test]
async fn an_import_is_made_whole_or_not_at_all() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let broken = zip(&[
        ("README.md", "two functions"),
        ("first/app.py", HELLO),
        ("second/app.py", "no handler = here"),
    ]);
    let refused = import(&app, &workspace.path(), &broken, &[]).await;
    let refusal = refused.refused(400, "VALIDATION_ERROR");
    assert_eq!(refusal.field.as_deref(), Some("file"));
    assert!(refusal.message.starts_with("second: "), "{refusal:?}");
    let nothing = zip(&[("README.md", "nothing")]);
    let refused = import(&app, &workspace.path(), &nothing, &[]).await;
    assert_eq!(refused.refused_field(), "file");
    assert!(names(&app, &workspace).await.is_empty());

    let sound = zip(&[
        ("README.md", "two functions"),
        ("first/app.py", HELLO),
        ("second/app.py", HELLO),
    ]);
    let imported = import(&app, &workspace.path(), &sound, &[]).await;
    imported.with_status(201);
    assert_eq!(names(&app, &workspace).await, ["first", "second"]);
    let more = zip(&[
        ("README.md", "three functions"),
        ("first/app.py", HELLO),
        ("second/app.py", HELLO),
        ("third/app.py", HELLO),
    ]);
    let refused = import(&app, &workspace.path(), &more, &[]).await;
    let refusal = refused.refused(409, "CONFLICT");
    assert_eq!(refusal.field.as_deref(), Some("name"));
    assert!(refusal.message.contains("first, second."), "{refusal:?}");
    assert_eq!(names(&app, &workspace).await, ["first", "second"]);

    let rename = [("on_conflict", "rename")];
    let imported = import(&app, &workspace.path(), &more, &rename).await;
    imported.with_status(201);
    assert_eq!(
        names(&app, &workspace).await,
        ["first", "first 2", "second", "second 2", "third"]
    );
    let one = [("on_conflict", "rename"), ("name", "first")];
    let function = zip(&[("app.py", HELLO)]);
    let imported = import(&app, &workspace.functions(), &function, &one).await;
    assert_eq!(imported.with_status(201)["name"], "first 3");
    let wrong = [("on_conflict", "perhaps")];
    let refused = import(&app, &workspace.functions(), &function, &wrong).await;
    assert_eq!(refused.refused_field(), "on_conflict");
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
