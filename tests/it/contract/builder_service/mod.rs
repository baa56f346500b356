//! The Builder Service as its clients see it. There is none to be had here: this is a FAKE that answers in the forms of its documentation.

mod jobs;
mod troubles;

use async_trait::async_trait;
use blue_faas::adapter::builder::remote::{RemoteBuilder, RemoteConfig};
use blue_faas::adapter::builder_service::BuilderService;
use blue_faas::model::deployment::AppName;
use blue_faas::model::id::{TaskId, WorkspaceId};
use blue_faas::model::task::StageName;
use blue_faas::port::builder::{
    BuildError, BuildRequest, Builder as _, Built, Destination, Job, JobRecord, Progress,
    PushRequest, Pushed, RawSource, RegistryCredentials, SourceTree,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const JOB: &str = "550e8400-e29b-41d4-a716-446655440000";
const REGISTRY: &str = "1.dkr.ecr.ap-northeast-2.amazonaws.com/team/app";
const HANDLER: &str = "from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response\n\n\nclass IncomingHandler(BaseHandler):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {}, b\"\")\n";

/// What was told of a job, and what was kept of it.
#[derive(Default)]
struct Told {
    stages: Mutex<Vec<StageName>>,
    lines: Mutex<Vec<String>>,
    earlier: Option<Job>,
    kept: Mutex<Vec<Job>>,
    /// Refuses to keep anything, as for a task that somebody else has taken.
    lost: bool,
}

impl Told {
    fn lines(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    fn stages(&self) -> Vec<StageName> {
        self.stages.lock().unwrap().clone()
    }
}

impl Progress for Told {
    fn stage(&self, name: StageName) {
        self.stages.lock().unwrap().push(name);
    }

    fn line(&self, _: StageName, text: &str) {
        self.lines.lock().unwrap().push(text.to_owned());
    }
}

#[async_trait]
impl JobRecord for Told {
    fn earlier(&self) -> Option<Job> {
        self.earlier.clone()
    }

    async fn keep(&self, job: &Job) -> Result<(), BuildError> {
        if self.lost {
            return Err(BuildError::Cancelled);
        }
        self.kept.lock().unwrap().push(job.clone());
        Ok(())
    }
}

struct Fake {
    server: MockServer,
    builder: RemoteBuilder,
    told: Told,
    cancel: CancellationToken,
}

impl Fake {
    async fn start() -> Self {
        Self::start_with_patience(Duration::from_mins(2)).await
    }

    async fn start_with_patience(patience: Duration) -> Self {
        let server = MockServer::start().await;
        let service = BuilderService::new(&server.uri()).unwrap();
        let config = RemoteConfig {
            poll_interval: Duration::from_millis(5),
            patience,
            timeout: Duration::from_mins(2),
            max_unpacked: 1024 * 1024,
            max_files: 100,
        };
        Self {
            server,
            builder: RemoteBuilder::new(Arc::new(service), config),
            told: Told::default(),
            cancel: CancellationToken::new(),
        }
    }

    /// Accepts work at this path.
    async fn accepts(self, at: &str) -> Self {
        let accepted = json!({"task_id": JOB, "status": "pending", "message": "Task created", "source_s3_path": "s3://bucket/build-sources/ws-1/x/"});
        self.answers(
            "POST",
            at,
            &[ResponseTemplate::new(202).set_body_json(accepted)],
        )
        .await
    }

    /// Answers questions about the job, the last one again and again.
    async fn tells(self, answers: &[Value]) -> Self {
        let answers: Vec<_> = answers
            .iter()
            .map(|answer| ResponseTemplate::new(200).set_body_json(answer))
            .collect();
        self.answers("GET", &format!("/api/v1/tasks/{JOB}"), &answers)
            .await
    }

    async fn answers(self, verb: &str, at: &str, answers: &[ResponseTemplate]) -> Self {
        let (last, before) = answers.split_last().expect("an answer");
        for answer in before {
            let mock = Mock::given(method(verb)).and(path(at));
            let mock = mock.respond_with(answer.clone()).up_to_n_times(1);
            mock.mount(&self.server).await;
        }
        let mock = Mock::given(method(verb)).and(path(at));
        mock.respond_with(last.clone()).mount(&self.server).await;
        self
    }

    async fn source(&self) -> SourceTree {
        let raw = RawSource::File {
            name: "app.py".to_owned(),
            content: HANDLER.into(),
        };
        self.builder.read_source(raw).await.unwrap().0
    }

    async fn build(&self, push: Option<Destination>) -> Result<Built, BuildError> {
        let request = BuildRequest {
            task_id: TaskId::parse("t-1").unwrap(),
            workspace_id: WorkspaceId::parse("ws-1").unwrap(),
            function_id: None,
            app_name: AppName::parse("hello").unwrap(),
            source: self.source().await,
            push,
        };
        let told = &self.told;
        self.builder.build(request, told, told, &self.cancel).await
    }

    async fn push(&self, destination: Destination) -> Result<Pushed, BuildError> {
        let request = PushRequest {
            task_id: TaskId::parse("t-1").unwrap(),
            workspace_id: WorkspaceId::parse("ws-1").unwrap(),
            app_name: AppName::parse("hello").unwrap(),
            artifact: None,
            source_path: Some("s3://bucket/build-sources/ws-1/x/".to_owned()),
            destination,
        };
        let told = &self.told;
        self.builder.push(request, told, told, &self.cancel).await
    }

    async fn requests(&self, verb: &str) -> Vec<Request> {
        let all = self.server.received_requests().await.unwrap();
        all.into_iter()
            .filter(|request| request.method.as_str() == verb)
            .collect()
    }

    /// The form of the one upload, as text.
    async fn form(&self) -> String {
        let posts = self.requests("POST").await;
        assert_eq!(posts.len(), 1);
        String::from_utf8(posts[0].body.clone()).unwrap()
    }
}

fn to(credentials: Option<(&str, &str)>) -> Destination {
    Destination {
        registry_url: REGISTRY.to_owned(),
        tag: "task-t-1".to_owned(),
        credentials: credentials.map(|(username, password)| RegistryCredentials {
            username: username.to_owned(),
            password: password.to_owned(),
        }),
    }
}

fn status(word: &str) -> Value {
    json!({"task_id": JOB, "status": word, "result": null, "error": null})
}

fn done(result: Value) -> Value {
    json!({"task_id": JOB, "status": "done", "result": result, "error": null})
}

fn field(name: &str, value: &str) -> String {
    format!("name=\"{name}\"\r\n\r\n{value}\r\n")
}
