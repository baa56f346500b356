//! All functions of a workspace in one archive.

use super::{HELLO, a_module, a_package, export, import};
use crate::support::app::TestApp;
use crate::support::archive::{unzip, zip};
use crate::support::builders::{Workspace, a_function, a_workspace, text};

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
