//! Deploying, replacing, configuring and deleting.

use blue_faas::model::deployment::{AppName, Namespace};
use blue_faas::port::platform::{CallFailure, Platform as _, PlatformError, Release};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::fixture::{Fixture, LocalFiles, configuration, failure, release, text, unrunnable};
use crate::support::components::{build, build_source, component};

fn hello(text: &str) -> crate::support::components::Component {
    let source = include_str!("../../fixtures/hello.py");
    build_source(&source.replace("Hello from Blue FaaS!", text))
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_under_load_loses_no_call() {
    let fixture = Arc::new(Fixture::new());
    let (first, second) = (build("hello"), hello("second"));
    fixture.deploy("app", &first).await;
    let (stop, calls) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (fixture, stop, calls) = (fixture.clone(), stop.clone(), calls.clone());
            tokio::spawn(async move {
                let mut last = String::new();
                while !stop.load(Ordering::Relaxed) {
                    last = text(&fixture.call("app", "/").await);
                    assert!(
                        last == "second" || last == "Hello from Blue FaaS!",
                        "{last}"
                    );
                    calls.fetch_add(1, Ordering::Relaxed);
                }
                last
            })
        })
        .collect();
    for component in [&second, &first, &second, &first, &second] {
        tokio::time::sleep(Duration::from_millis(60)).await;
        fixture.deploy("app", component).await;
    }
    assert_eq!(text(&fixture.call("app", "/").await), "second");
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        assert_eq!(caller.await.expect("no call failed"), "second");
    }
    assert!(calls.load(Ordering::Relaxed) > 20);
}

#[tokio::test]
async fn a_deployment_that_fails_leaves_what_serves() {
    let fixture = Fixture::new();
    fixture.deploy("app", &build("hello")).await;

    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.wasm");
    std::fs::write(&broken, b"\0asm\x0d\0\x01\0not a component").expect("written");
    let broken = component(broken);
    let text_of = unrunnable(
        fixture
            .platform
            .deploy(release("app", Some(broken.artifact.clone())))
            .await,
    );
    assert!(
        text_of.starts_with("The artifact cannot be compiled to native code: "),
        "{text_of}"
    );

    let mut changed = build("hello").artifact;
    changed.sha256 = "0".repeat(64);
    let text_of = unrunnable(
        fixture
            .platform
            .deploy(release("app", Some(changed.clone())))
            .await,
    );
    assert_eq!(
        text_of,
        "The stored artifact is damaged. Build the function again."
    );
    changed.key = "/nowhere".to_owned();
    let text_of = unrunnable(fixture.platform.deploy(release("app", Some(changed))).await);
    assert_eq!(
        text_of,
        "The artifact is no longer stored. Build the function again."
    );

    let text_of = unrunnable(fixture.platform.deploy(release("app", None)).await);
    assert!(
        text_of.starts_with("registry.example/functions:v1 was not built by this server"),
        "{text_of}"
    );
    assert_eq!(
        text(&fixture.call("app", "/").await),
        "Hello from Blue FaaS!"
    );
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_refused() {
    let fixture = Fixture::new();
    let namespace = Namespace::parse("elsewhere").expect("valid");
    let refused = fixture
        .platform
        .deploy(Release {
            namespace,
            ..release("app", None)
        })
        .await;
    assert_eq!(
        refused.expect_err("refused").to_string(),
        "Namespace 'elsewhere' not found"
    );
    assert_eq!(
        failure(&fixture.call("app", "/").await),
        &CallFailure::NotDeployed
    );
}

#[tokio::test]
async fn a_new_configuration_holds_from_the_next_call_on() {
    let fixture = Fixture::new();
    fixture
        .deploy_with(
            "app",
            &build("routes"),
            configuration(256, &[("GREETING", "one")], &[]),
        )
        .await;
    assert!(text(&fixture.call("app", "/environ").await).contains("\"one\""));
    let app = AppName::parse("app").expect("valid");
    fixture
        .platform
        .configure(
            &app,
            &super::fixture::namespace(),
            configuration(256, &[("GREETING", "two")], &[]),
        )
        .await
        .expect("configures");
    let after = text(&fixture.call("app", "/environ").await);
    assert!(
        after.contains("\"two\"") && !after.contains("\"one\""),
        "{after}"
    );
}

#[tokio::test]
async fn a_deleted_app_is_gone_and_deleting_it_again_is_fine() {
    let fixture = Fixture::new();
    let deployed = fixture.deploy("app", &build("hello")).await;
    assert_eq!(
        deployed.endpoint.as_deref(),
        Some("http://127.0.0.1:3001/app")
    );
    let (app, default) = (
        AppName::parse("app").expect("valid"),
        Namespace::parse("default").expect("valid"),
    );
    for _ in 0..2 {
        fixture
            .platform
            .delete(&app, &default)
            .await
            .expect("deletes");
        assert_eq!(
            failure(&fixture.call("app", "/").await),
            &CallFailure::NotDeployed
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_once_all_answer() {
    let fixture = Fixture::new();
    fixture.deploy("app", &build("routes")).await;
    let outcomes = futures::future::join_all((0..64).map(|_| fixture.call("app", "/state"))).await;
    assert!(outcomes.iter().all(|outcome| text(outcome) == "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn native_code_is_compiled_once_kept_checked_and_collected() {
    let folder = tempfile::tempdir().expect("a folder");
    let component = build("hello");
    let native = |suffix: &str| -> Vec<_> {
        let files = std::fs::read_dir(folder.path())
            .expect("reads")
            .map(|entry| entry.expect("reads").path());
        files
            .filter(|file| file.to_string_lossy().ends_with(suffix))
            .collect()
    };
    let fixture = Fixture::in_directory(folder.path().to_owned(), Arc::new(LocalFiles));
    let (one, two) = tokio::join!(
        fixture.platform.prepare(&component.artifact),
        fixture.platform.prepare(&component.artifact)
    );
    assert!(one.is_ok() && two.is_ok());
    let [file] = &native(".cwasm")[..] else {
        panic!("one file")
    };
    let compiled = std::fs::metadata(file)
        .expect("is there")
        .modified()
        .expect("has a time");
    drop(fixture);

    let fixture = Fixture::in_directory(folder.path().to_owned(), Arc::new(LocalFiles));
    fixture.deploy("app", &component).await;
    assert_eq!(
        std::fs::metadata(file)
            .expect("is there")
            .modified()
            .expect("has a time"),
        compiled
    );
    drop(fixture);

    let mut damaged = std::fs::read(file).expect("reads");
    damaged[5000] ^= 1;
    std::fs::write(file, damaged).expect("writes");
    let fixture = Fixture::in_directory(folder.path().to_owned(), Arc::new(LocalFiles));
    fixture.deploy("app", &component).await;
    assert_eq!(
        text(&fixture.call("app", "/").await),
        "Hello from Blue FaaS!"
    );
    assert!(
        std::fs::metadata(file)
            .expect("is there")
            .modified()
            .expect("has a time")
            > compiled
    );

    let keep = HashSet::from([component.artifact.sha256.clone()]);
    assert_eq!(fixture.platform.collect(&keep).await.expect("collects"), 0);
    let before = fixture.platform.cache_usage().await.expect("known");
    let freed = fixture
        .platform
        .collect(&HashSet::new())
        .await
        .expect("collects");
    assert!(freed > 1_000_000 && native(".cwasm").is_empty() && native(".sha256").is_empty());
    assert_eq!(
        fixture.platform.cache_usage().await.expect("known"),
        before - freed
    );
    assert_eq!(
        text(&fixture.call("app", "/").await),
        "Hello from Blue FaaS!"
    );
}

#[tokio::test]
async fn a_compilation_that_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = Fixture::in_directory(folder.path().to_owned(), Arc::new(LocalFiles));
    let component = build("hello");
    let given_up = tokio::time::timeout(
        Duration::from_millis(700),
        fixture.platform.prepare(&component.artifact),
    )
    .await;
    assert!(given_up.is_err());
    assert_eq!(fixture.platform.cache_usage().await, Some(0));
    assert!(!fixture.platform.is_warm());
}

#[test]
fn a_compilation_ends_with_the_server_that_wanted_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let component = build("hello");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_blue-faas"))
        .args(["compile-artifact", &component.artifact.key])
        .args([
            folder.path().join("native.cwasm"),
            folder.path().join("cache"),
        ])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    // What the kernel does with the pipe of a server that was killed.
    drop(child.stdin.take());
    let status = child.wait().expect("ends");
    assert!(!status.success());
    assert!(!folder.path().join("native.cwasm").exists());
}

#[tokio::test]
async fn a_missing_compiler_is_noticed() {
    let fixture = Fixture::new();
    fixture.platform.check().await.expect("all is there");
    let folder = tempfile::tempdir().expect("a folder");
    let config = blue_faas::adapter::platform::wasmtime::WasmtimeConfig {
        native_dir: folder.path().join("native"),
        program: folder.path().join("nowhere"),
        functions_url: "http://{app}.localhost:3001/".to_owned(),
        namespaces: Vec::new(),
        max_instances: 1,
        workers: 1,
        calls_per_worker: u64::MAX,
    };
    let bases = super::fixture::bases(&folder.path().join("bases"), &config, Arc::new(LocalFiles));
    let platform = blue_faas::adapter::platform::wasmtime::WasmtimePlatform::new(
        config,
        Arc::new(LocalFiles),
        super::fixture::values(),
        bases,
    )
    .expect("starts");
    let error = platform.check().await.expect_err("no compiler");
    assert!(
        matches!(&error, PlatformError::Failed(text) if text.contains("nowhere")),
        "{error}"
    );
    let default = Namespace::parse("default").expect("valid");
    assert_eq!(
        platform.endpoint(&AppName::parse("a").expect("valid"), &default),
        "http://a.localhost:3001"
    );
}
