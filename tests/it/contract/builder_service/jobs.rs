//! Jobs as the service's documentation has them.

use blue_faas::model::deployment::AppName;
use blue_faas::model::id::{TaskId, WorkspaceId};
use blue_faas::model::task::StageName;
use blue_faas::model::time::Timestamp;
use blue_faas::port::builder::{BuildError, BuildRequest, Builder as _, Destination, Job};
use serde_json::{Value, json};
use std::time::Duration;

use super::{Fake, HANDLER, JOB, REGISTRY, done, field, status, to};

#[tokio::test]
async fn build_and_push_is_one_job_with_its_stages() {
    let image = format!("{REGISTRY}:a1b2c3d4");
    let result = json!({"wasm_path": "s3://bucket/build-artifacts/x/app.wasm", "image_url": image});
    let fake = Fake::start()
        .await
        .accepts("/api/v1/build-and-push")
        .await
        .tells(&[
            status("PENDING"),
            status("running"),
            status("Pushing"),
            done(result),
        ])
        .await;
    let built = fake.build(Some(to(None))).await.unwrap();
    assert_eq!(built.artifact, None);
    assert_eq!(
        built.wasm_path.as_deref(),
        Some("s3://bucket/build-artifacts/x/app.wasm")
    );
    assert_eq!(built.pushed.unwrap().image_ref, image);
    assert_eq!(fake.told.stages(), [StageName::Build, StageName::Push]);
    let form = fake.form().await;
    for (name, value) in [
        ("app_name", "hello"),
        ("workspace_id", "ws-1"),
        ("registry_url", REGISTRY),
        ("tag", "task-t-1"),
    ] {
        assert!(form.contains(&field(name, value)), "{name}: {form}");
    }
    assert!(form.contains("filename=\"app.py\"") && form.contains(HANDLER));
    // Without credentials the service uses its own role.
    assert!(!form.contains("username") && !form.contains("password"));
    for asked in fake.requests("GET").await {
        assert_eq!(asked.url.query(), Some("workspace_id=ws-1"));
    }
}

#[tokio::test]
async fn a_password_without_a_name_is_for_aws_and_is_kept_nowhere() {
    let fake = Fake::start()
        .await
        .accepts("/api/v1/build-and-push")
        .await
        .tells(&[json!({"task_id": JOB, "status": "failed", "error": "spin registry login --password s3cret-9: denied"})])
        .await;
    let failed = fake.build(Some(to(Some(("", "s3cret-9"))))).await;
    let error = failed.unwrap_err().to_string();
    assert!(
        error.contains("denied") && !error.contains("s3cret"),
        "{error}"
    );
    let form = fake.form().await;
    assert!(form.contains(&field("username", "AWS")));
    assert!(form.contains(&field("password", "s3cret-9")));
    let kept = serde_json::to_string(&*fake.told.kept.lock().unwrap()).unwrap();
    assert!(!kept.contains("s3cret") && !fake.told.lines().contains("s3cret"));
}

#[tokio::test]
async fn a_push_sends_empty_fields_where_there_are_no_credentials() {
    let fake = Fake::start()
        .await
        .accepts("/api/v1/push")
        .await
        .tells(&[status("pushing"), done(Value::Null)])
        .await;
    let pushed = fake.push(to(None)).await.unwrap();
    assert_eq!(pushed.image_ref, format!("{REGISTRY}:task-t-1"));
    let sent: Value = fake.requests("POST").await[0].body_json().unwrap();
    assert_eq!(
        sent,
        json!({"registry_url": REGISTRY, "username": "", "password": "", "tag": "task-t-1", "app_dir": "", "workspace_id": "ws-1", "s3_source_path": "s3://bucket/build-sources/ws-1/x/"})
    );
}

#[tokio::test]
async fn a_build_alone_answers_where_its_component_is() {
    let fake = Fake::start()
        .await
        .accepts("/api/v1/build")
        .await
        .tells(&[done(json!({"wasm_path": "s3://bucket/a.wasm"}))])
        .await;
    let built = fake.build(None).await.unwrap();
    assert_eq!(built.wasm_path.as_deref(), Some("s3://bucket/a.wasm"));
    assert!(built.pushed.is_none() && !fake.form().await.contains("registry_url"));
    assert_eq!(fake.told.stages(), [StageName::Build]);
}

#[tokio::test]
async fn a_job_is_kept_before_anything_is_asked_about_it() {
    let mut fake = Fake::start()
        .await
        .accepts("/api/v1/build")
        .await
        .tells(&[status("building")])
        .await;
    fake.told.lost = true;
    let stopped = fake.build(None).await;
    assert!(matches!(stopped, Err(BuildError::Cancelled)));
    assert_eq!(fake.requests("GET").await.len(), 0);
}

#[tokio::test]
async fn a_job_that_was_kept_is_gone_on_with() {
    let mut fake = Fake::start()
        .await
        .tells(&[done(json!({"wasm_path": "s3://bucket/a.wasm"}))])
        .await;
    fake.told.earlier = Some(Job {
        id: JOB.to_owned(),
        source_path: None,
        since: Timestamp::now(),
    });
    fake.build(None).await.unwrap();
    assert_eq!(fake.requests("POST").await.len(), 0);
    assert!(fake.told.lines().contains("Going on with job"));
}

#[tokio::test]
async fn time_runs_while_no_server_does() {
    let mut fake = Fake::start().await.tells(&[status("pushing")]).await;
    fake.told.earlier = Some(Job {
        id: JOB.to_owned(),
        source_path: None,
        since: Timestamp::now().plus_seconds(-3_600),
    });
    let error = fake.build(Some(to(None))).await.unwrap_err();
    assert!(
        matches!(&error, BuildError::LimitReached(text) if text.contains("IRSA")),
        "{error}"
    );
}

#[tokio::test]
async fn cancelling_ends_the_waiting_and_says_that_the_job_goes_on() {
    let fake = Fake::start()
        .await
        .accepts("/api/v1/build")
        .await
        .tells(&[status("building")])
        .await;
    let stop = async {
        while fake.requests("GET").await.len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        fake.cancel.cancel();
    };
    let (built, ()) = tokio::join!(fake.build(None), stop);
    assert!(matches!(built, Err(BuildError::Cancelled)));
    assert!(fake.told.lines().contains("cannot be told to end it"));
}

#[tokio::test]
async fn a_source_that_cannot_be_built_is_not_sent() {
    let fake = Fake::start().await.accepts("/api/v1/build").await;
    let mut source = fake.source().await;
    source.files.insert("app.py".to_owned(), "x = 1\n".into());
    let request = BuildRequest {
        task_id: TaskId::parse("t-1").unwrap(),
        workspace_id: WorkspaceId::parse("ws-1").unwrap(),
        function_id: None,
        app_name: AppName::parse("hello").unwrap(),
        source,
        push: None,
    };
    let (told, cancel) = (&fake.told, &fake.cancel);
    let refused = fake.builder.build(request, told, told, cancel).await;
    assert!(
        matches!(refused, Err(BuildError::Source { diagnostics, .. }) if !diagnostics.is_empty())
    );
    assert_eq!(fake.requests("POST").await.len(), 0);
}

#[tokio::test]
async fn an_image_without_a_registry_has_nowhere_to_go() {
    let fake = Fake::start().await.accepts("/api/v1/build-and-push").await;
    let nowhere = Destination {
        registry_url: "local/hello".to_owned(),
        ..to(None)
    };
    let error = fake.build(Some(nowhere)).await.unwrap_err().to_string();
    assert!(error.contains("ECR_REGISTRY_URL"), "{error}");
    assert_eq!(fake.requests("POST").await.len(), 0);
}
