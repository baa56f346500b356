//! Tasks over a good network.

use blue_faas::model::error::ErrorKind;
use blue_faas::model::function::Function;
use blue_faas::model::id::WorkspaceId;
use blue_faas::model::task::TaskStatus;
use blue_faas::port::builder::RegistryCredentials;
use blue_faas::port::keys;
use blue_faas::port::store::Update;
use blue_faas::service::actor::Actor;
use blue_faas::service::builds::BuildUpload;
use blue_faas::service::builds::record::TaskRecord;
use blue_faas::service::functions::SourceUpload;
use serde_json::Value;

use super::replica::{HANDLER, Replica, Shared, target};
use super::service::{FakeService, Fate};
use crate::platform::fixture::Fixture;

const SECRET: &str = "s3cret-9-of-nobody";

fn has_job(task: &TaskRecord) -> bool {
    task.job.is_some()
}

fn has_ended(task: &TaskRecord) -> bool {
    task.status.is_terminal()
}

async fn with_credentials(replica: &Replica, function: &Function) -> TaskRecord {
    let credentials = RegistryCredentials {
        username: "robot".to_owned(),
        password: SECRET.to_owned(),
    };
    let push = Some(target(true));
    replica.build(function, push, Some(credentials)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_names_the_source_where_the_service_keeps_it() {
    let fixture = Fixture::new();
    let service = FakeService::start(1, Fate::Made, 0).await;
    let shared = Shared::new(fixture.platform.clone(), &service.url);
    let replica = Replica::start(&shared);
    let function = replica.a_function().await;
    let task = replica.build(&function, None, None).await;
    let built = replica.when(&task, has_ended).await;
    assert_eq!(built.status, TaskStatus::Done, "{built:?}");
    let path = "s3://bucket/build-artifacts/job-1/app.wasm";
    assert_eq!(built.wasm_path.as_deref(), Some(path));
    assert_eq!((built.version, built.image_url), (Some(1), None));

    let actor = Actor::anonymous();
    let ours = built.source_code_path.as_deref();
    let push = replica
        .builds
        .push(&actor, &built.workspace_id, ours, target(false), None);
    let push = push.await.unwrap();
    let pushed = replica.when(&push, has_ended).await;
    assert_eq!(pushed.status, TaskStatus::Done, "{pushed:?}");
    let source = "s3://bucket/build-sources/job-1/";
    assert_eq!(pushed.source_code_path.as_deref(), Some(source));
    let image = "registry.example.com/team/app:job-2";
    assert_eq!(pushed.image_url.as_deref(), Some(image));
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_being_deleted_is_not_made_anew() {
    let fixture = Fixture::new();
    let service = FakeService::start(3, Fate::Made, 0).await;
    let shared = Shared::new(fixture.platform.clone(), &service.url);
    let replica = Replica::start(&shared);
    let (actor, workspace) = (
        Actor::anonymous(),
        WorkspaceId::parse("my-workspace").unwrap(),
    );
    let build = async || {
        let upload = BuildUpload {
            workspace: Some(workspace.clone()),
            function: None,
            app_name: None,
            upload: SourceUpload {
                file_name: "app.py".to_owned(),
                content: HANDLER.into(),
            },
            push: None,
            credentials: None,
        };
        replica.builds.build_upload(&actor, upload).await
    };
    let task = build().await.unwrap();
    replica.when(&task, has_ended).await;
    let mark = Update::new(keys::workspace(&workspace)).set("deleting", true);
    let marked: Option<Value> = shared.table.try_update(mark).await.unwrap();
    let refused = build().await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NotFound, "{refused}");
    let now: Option<Value> = shared
        .table
        .get(&keys::workspace(&workspace))
        .await
        .unwrap();
    assert_eq!(now, marked);
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_when_the_server_that_had_the_credentials_is_gone() {
    let fixture = Fixture::new();
    let service = FakeService::start(2, Fate::Made, 0).await;
    service.hold(true);
    let shared = Shared::new(fixture.platform.clone(), &service.url);
    let replica = Replica::start(&shared);
    let function = replica.a_function().await;
    let task = with_credentials(&replica, &function).await;
    replica.when(&task, has_job).await;
    replica.stop().await;
    let next = Replica::start(&shared);
    service.hold(false);
    let ended = next.when(&task, has_ended).await;
    assert_eq!(ended.status, TaskStatus::Done, "{ended:?}");
    assert_eq!(service.begun(), (1, 0));
    next.stop().await;
    assert!(shared.holds("registry.example.com/team/app"));
    assert!(!shared.holds(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_waits_for_the_server_that_has_its_credentials() {
    let fixture = Fixture::new();
    let service = FakeService::start(4, Fate::Made, 0).await;
    service.hold(true);
    let shared = Shared::new(fixture.platform.clone(), &service.url);
    let busy = Replica::start(&shared);
    let first = busy.submit(&busy.a_function().await).await;
    busy.when(&first, has_job).await;
    let waiting = with_credentials(&busy, &busy.a_function().await).await;
    let idle = Replica::start(&shared);
    let last = idle.submit(&idle.a_function().await).await;
    // It has passed over the older task.
    idle.when(&last, has_job).await;
    let untouched = idle.record(&waiting).await;
    assert_eq!(untouched.status, TaskStatus::Pending, "{untouched:?}");
    service.hold(false);
    for task in [&first, &waiting, &last] {
        let ended = idle.when(task, has_ended).await;
        assert_eq!(ended.status, TaskStatus::Done, "{ended:?}");
    }
    busy.stop().await;
    idle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_credentials_are_gone_says_so() {
    let fixture = Fixture::new();
    let service = FakeService::start(5, Fate::Made, 0).await;
    service.hold(true);
    let shared = Shared::new(fixture.platform.clone(), &service.url);
    let busy = Replica::start(&shared);
    let first = busy.submit(&busy.a_function().await).await;
    busy.when(&first, has_job).await;
    let waiting = with_credentials(&busy, &busy.a_function().await).await;
    busy.stop().await;
    service.hold(false);
    shared.end_lease(&waiting).await;
    let next = Replica::start(&shared);
    let ended = next.when(&waiting, has_ended).await;
    assert_eq!(ended.status, TaskStatus::Failed, "{ended:?}");
    let text = ended.error_message.unwrap_or_default();
    assert!(
        text.contains("server that had") && text.contains("never stored"),
        "{text}"
    );
    next.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_task_ends_although_its_job_does_not() {
    let fixture = Fixture::new();
    let service = FakeService::start(3, Fate::Made, 0).await;
    service.hold(true);
    let shared = Shared::new(fixture.platform.clone(), &service.url);
    let replica = Replica::start(&shared);
    let function = replica.a_function().await;
    let task = replica.submit(&function).await;
    replica.when(&task, has_job).await;
    let actor = Actor::anonymous();
    replica.builds.cancel(&actor, &task.task_id).await.unwrap();
    let ended = replica.when(&task, has_ended).await;
    assert_eq!(ended.status, TaskStatus::Cancelled);
    service.hold(false);
    let lines = replica.builds.lines(&task.task_id, 0).await.unwrap();
    let said = |words: &str| lines.iter().any(|line| line.text.contains(words));
    assert!(said("Job job-1 of the Builder Service"), "{lines:?}");
    assert!(said("cannot be told to end it"), "{lines:?}");
    let newest = replica.builds.newest_version(&function.id).await.unwrap();
    assert!(newest.is_none());
    replica.stop().await;
}
