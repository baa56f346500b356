//! Builds with the real toolchain: each costs seconds of CPU, so they are few. Run them alone with `cargo test toolchain`.

mod workshop;

use bytes::Bytes;
use std::time::{Duration, Instant};

use self::workshop::{Registry, Workshop, refused};
use super::usage::processes_in;
use crate::adapter::source::archive::tests::zip;
use crate::model::deployment::AppName;
use crate::model::id::{TaskId, WorkspaceId};
use crate::model::task::StageName;
use crate::model::version::Artifact;
use crate::port::blobs::Blobs;
use crate::port::builder::{
    BuildError, Builder, Destination, PushRequest, Pushed, RawSource, RegistryCredentials, Unkept,
};

const HELLO: &str = "from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response\n\n\nclass IncomingHandler(BaseHandler):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {\"content-type\": \"text/plain\"}, bytes(\"Hello from Blue FaaS!\", \"utf-8\"))\n";

#[tokio::test(flavor = "multi_thread")]
async fn hello_is_built_and_its_image_stored_and_pushed() {
    let workshop = Workshop::new(Duration::from_mins(5));
    assert_eq!(workshop.builder.check().await, Ok(()));
    let built = workshop.build_text(HELLO).await.expect("built").artifact;
    let built = built.expect("an artifact");
    assert_eq!(built.key, "build-artifacts/task-1/hello.wasm");
    let wasm = workshop.blobs.get(&built.key, None).await.expect("stored");
    assert!(
        wasm.starts_with(b"\0asm") && wasm.len() as u64 == built.size && built.size > 10_000_000
    );
    assert_eq!(
        *workshop.told.stages.lock().expect("a lock"),
        [StageName::Validate, StageName::Build]
    );
    workshop.assert_nothing_left();
    push_to_a_registry(&workshop, &built).await;
}

/// To a host that is not listed, which is told, to a registry of this machine, and to one that is gone.
async fn push_to_a_registry(workshop: &Workshop, artifact: &Artifact) {
    let elsewhere = push_to(workshop, artifact, "registry.example.com").await;
    let pushed = elsewhere.expect("kept");
    assert_eq!(pushed.image_ref, "registry.example.com/shop/hello:task-1");
    assert!(workshop.lines().contains("Kept here"));
    let kept = || {
        let objects = workshop.blobs.0.lock().expect("a lock");
        objects
            .keys()
            .filter(|key| key.starts_with("images/"))
            .count()
    };
    assert_eq!(kept(), 5);

    let registry = Registry::start(workshop.dir.path()).await;
    let host = format!("127.0.0.1:{}", registry.port);
    push_to(workshop, artifact, &host).await.expect("pushed");
    let digest = format!("sha256/{}/{}/data", &artifact.sha256[..2], artifact.sha256);
    let stored = workshop
        .dir
        .path()
        .join("registry/docker/registry/v2/blobs")
        .join(digest);
    let layer = std::fs::metadata(stored).expect("the component's layer");
    assert_eq!(layer.len(), artifact.size);

    drop(registry);
    let gone = push_to(workshop, artifact, &host).await;
    let error = gone.expect_err("nobody listens");
    assert!(
        matches!(&error, BuildError::Registry(text) if text.contains("could not be reached")),
        "{error}"
    );
    assert!(!workshop.lines().contains("s3cret"));
}

async fn push_to(
    workshop: &Workshop,
    artifact: &Artifact,
    host: &str,
) -> Result<Pushed, BuildError> {
    let request = PushRequest {
        task_id: TaskId::parse("task-1").expect("an id"),
        workspace_id: WorkspaceId::parse("ws-1").expect("an id"),
        app_name: AppName::parse("hello").expect("a name"),
        artifact: Some(artifact.clone()),
        source_path: None,
        destination: Destination {
            registry_url: format!("{host}/shop/hello"),
            tag: "task-1".to_owned(),
            credentials: Some(RegistryCredentials {
                username: String::new(),
                password: "s3cret".to_owned(),
            }),
        },
    };
    let pushing = workshop
        .builder
        .push(request, &workshop.told, &Unkept, &workshop.cancel);
    pushing.await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_error_ends_the_build_early_with_its_line() {
    let workshop = Workshop::new(Duration::from_mins(5));
    let text = HELLO.replace(
        "        return Response",
        "        return \"no\"\n        return Response",
    );
    let (message, diagnostics) = refused(workshop.build_text(&text).await);
    assert!(
        message
            .starts_with("MyPy validation failed: app.py:6: error: Incompatible return value type"),
        "{message}"
    );
    assert_eq!(
        (
            diagnostics.len(),
            diagnostics[0].line,
            diagnostics[0].column
        ),
        (1, 6, 16)
    );
    assert_eq!(
        diagnostics[0].excerpt.as_deref(),
        Some("        return \"no\"")
    );
    assert_eq!(
        *workshop.told.stages.lock().expect("a lock"),
        [StageName::Validate]
    );
    workshop.assert_nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_quick_checks_refuse_starts_no_process() {
    let workshop = Workshop::new(Duration::from_mins(5));
    for (text, words) in [
        ("x = 1\n", "module 'app' has no attribute 'IncomingHandler'"),
        ("import requests\n", "app.py:1: requests is not available"),
        ("def f(:\n", "app.py:1: Syntax error"),
    ] {
        let (message, _) = refused(
            workshop
                .build_text(&format!(
                    "{text}{}",
                    if words.starts_with("module") {
                        ""
                    } else {
                        HELLO
                    }
                ))
                .await,
        );
        assert!(message.contains(words), "{message}");
    }
    assert!(!workshop.dir.path().join("cache/mypy").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_at_the_top_level_has_its_line_and_the_guest_can_write_to_nothing_shared() {
    let workshop = Workshop::new(Duration::from_mins(5));
    let text = format!(
        "{HELLO}\nimport sys\nfor place in sys.path:\n    try:\n        open(place + '/blue_faas_escape.txt', 'w').write('x')\n    except OSError:\n        pass\nprint('loaded')\nvalues = {{'a': 1}}\nprint(values['b'])\n"
    );
    let (message, diagnostics) = refused(workshop.build_text(&text).await);
    assert_eq!(message, "app.py:16: KeyError: 'b'");
    assert_eq!(
        diagnostics[0].excerpt.as_deref(),
        Some("print(values['b'])")
    );
    assert!(
        workshop.lines().contains("loaded") && !workshop.lines().contains("componentize-py\""),
        "{}",
        workshop.lines()
    );
    let packages =
        super::componentize::site_packages(&workshop.builder.config.venv).expect("packages");
    assert!(!packages.join("blue_faas_escape.txt").exists());
    workshop.assert_nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_at_the_top_level_is_stopped_by_the_limit() {
    let workshop = Workshop::new(Duration::from_secs(20));
    let error = workshop
        .build_text(&format!("{HELLO}\nwhile True:\n    pass\n"))
        .await
        .expect_err("endless");
    assert!(
        matches!(&error, BuildError::LimitReached(text) if text.contains("longer than 20 seconds")),
        "{error}"
    );
    workshop.assert_nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factory_in_a_package_with_requirements_is_built() {
    let workshop = Workshop::new(Duration::from_mins(5));
    let app = "import idna\nfrom pkg.greeting import greet\n\n\ndef init_incoming_handler():\n    from spin_sdk.http import IncomingHandler, Response\n\n    class Handler(IncomingHandler):\n        def handle_request(self, request):\n            import colorsys\n\n            return Response(200, {}, greet(idna.encode(str(colorsys.ONE_THIRD))))\n\n    return Handler()\n";
    let archive = zip(&[
        ("shop/app.py", app.as_bytes()),
        ("shop/pkg/__init__.py", b""),
        (
            "shop/pkg/greeting.py",
            b"def greet(name: bytes) -> bytes:\n    return b'hello ' + name\n",
        ),
        ("shop/requirements.txt", b"idna==3.10  # pure Python\n"),
    ]);
    let built = workshop
        .build(RawSource::Package {
            archive: archive.clone(),
        })
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", workshop.lines()));
    assert!(built.artifact.expect("an artifact").size > 10_000_000);
    assert!(
        workshop
            .lines()
            .contains("Successfully installed idna-3.10"),
        "{}",
        workshop.lines()
    );
    workshop.assert_nothing_left();
    let native = zip(&[
        ("app.py", HELLO.as_bytes()),
        ("requirements.txt", b"numpy==2.1.0\n"),
    ]);
    let (message, _) = refused(workshop.build(RawSource::Package { archive: native }).await);
    assert!(
        message.starts_with("requirements.txt: numpy==2.1.0 cannot be installed"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_leaves_no_process_and_no_file() {
    let workshop = Workshop::new(Duration::from_mins(5));
    let stop = async {
        while processes_in(&workshop.dir.path().join("work")).len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        workshop.cancel.cancel();
        Instant::now()
    };
    let (built, cancelled) = tokio::join!(workshop.build_text(HELLO), stop);
    assert!(matches!(built, Err(BuildError::Cancelled)));
    assert!(cancelled.elapsed() < Duration::from_secs(30));
    workshop.assert_nothing_left();
}

#[tokio::test]
async fn a_missing_environment_is_told_with_the_command_that_makes_it() {
    let mut workshop = Workshop::new(Duration::from_secs(1));
    workshop.builder.config.venv = workshop.dir.path().join("none");
    let text = workshop.builder.check().await.expect_err("nothing there");
    assert!(
        text.contains("python3 -m venv")
            && text.contains("componentize-py==0.17.2 spin-sdk==3.4.1 mypy==1.19.0"),
        "{text}"
    );
}

#[tokio::test]
async fn the_cache_key_follows_the_source() {
    let workshop = Workshop::new(Duration::from_secs(1));
    let key = async |text: &str| {
        let raw = RawSource::File {
            name: "a.py".to_owned(),
            content: Bytes::copy_from_slice(text.as_bytes()),
        };
        let (tree, _) = workshop.builder.read_source(raw).await.expect("sound");
        workshop.builder.cache_key(&tree)
    };
    assert_eq!(key(HELLO).await, key(HELLO).await);
    assert_ne!(key(HELLO).await, key("x = 1").await);
}
