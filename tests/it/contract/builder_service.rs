//! The Builder Service as its clients see it. There is none to be had here: this is a FAKE that answers in the forms of its documentation.

use async_trait::async_trait;
use blue_faas::adapter::builder::remote::{RemoteBuilder, RemoteConfig};
use blue_faas::adapter::builder_service::{BuilderService, ServiceError};
use blue_faas::model::deployment::AppName;
use blue_faas::model::id::{TaskId, WorkspaceId};
use blue_faas::model::task::StageName;
use blue_faas::model::time::Timestamp;
use blue_faas::port::builder::{
    BuildError, BuildRequest, Builder as _, Built, Destination, Job, JobRecord, Progress,
    PushRequest, Pushed, RawSource, RegistryCredentials, SourceTree,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::{method, path, query_param};
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
async fn what_it_refuses_is_told_in_full_with_what_helps() {
    let wrong = json!({"detail": [{"loc": ["body", "registry_url"], "msg": "field required", "type": "value_error.missing", "input": "hunter2"}]});
    for (status, answer, words) in [
        (422, wrong, "body.registry_url: field required"),
        (
            400,
            json!({"detail": "spin.toml not found in root directory"}),
            "at the top of the archive",
        ),
        (403, json!({"detail": "AccessDenied: s3:PutObject"}), "IAM"),
    ] {
        let refused = ResponseTemplate::new(status).set_body_json(answer);
        let fake = Fake::start()
            .await
            .answers("POST", "/api/v1/build", &[refused])
            .await;
        let error = fake.build(None).await.unwrap_err().to_string();
        assert!(
            error.contains(words) && !error.contains("hunter2"),
            "{error}"
        );
        assert_eq!(fake.requests("POST").await.len(), 1);
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_waited_for_and_then_given_up() {
    let away = ResponseTemplate::new(503).set_body_string("<html>starting</html>");
    let accepted = json!({"task_id": JOB, "status": "pending", "message": "Task created"});
    let accepted = ResponseTemplate::new(202).set_body_json(accepted);
    let fake = Fake::start()
        .await
        .answers(
            "POST",
            "/api/v1/build",
            &[away.clone(), away.clone(), accepted],
        )
        .await
        .tells(&[done(json!({"wasm_path": "s3://bucket/a.wasm"}))])
        .await;
    fake.build(None).await.unwrap();
    let gone = Fake::start_with_patience(Duration::from_secs(1))
        .await
        .answers("POST", "/api/v1/build", &[away])
        .await;
    let error = gone.build(None).await.unwrap_err();
    assert!(
        matches!(&error, BuildError::Unavailable(text) if !text.contains("html")),
        "{error}"
    );
    assert!(!gone.requests("POST").await.is_empty());
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_not_asked_for_without_end() {
    for answer in [
        ResponseTemplate::new(200).set_body_string("<html>log in</html>"),
        ResponseTemplate::new(202).set_body_string("{\"task_id\": \"550e"),
        ResponseTemplate::new(202).set_body_json(json!({"task_id": "../../x"})),
        ResponseTemplate::new(500).set_body_json(json!({"detail": "boto3 broke"})),
    ] {
        let fake = Fake::start()
            .await
            .answers("POST", "/api/v1/build", &[answer])
            .await;
        let error = fake.build(None).await.unwrap_err();
        assert!(matches!(error, BuildError::Unavailable(_)), "{error}");
        assert_eq!(fake.requests("POST").await.len(), 3);
    }
}

#[tokio::test]
async fn a_job_survives_what_happens_to_single_questions() {
    let at = format!("/api/v1/tasks/{JOB}");
    let json = |answer: Value| ResponseTemplate::new(200).set_body_json(answer);
    let fake = Fake::start()
        .await
        .accepts("/api/v1/build")
        .await
        .answers(
            "GET",
            &at,
            &[
                ResponseTemplate::new(502).set_body_string("<html></html>"),
                ResponseTemplate::new(404).set_body_json(json!({"detail": "Task not found"})),
                ResponseTemplate::new(500).set_body_string("Internal Server Error"),
                ResponseTemplate::new(200).set_body_string("{\"task_id\": \"550"),
                json(json!({"task_id": "another", "status": "done"})),
                json(json!({"task_id": JOB, "status": "done", "error": "and failed"})),
                json(status("levitating")),
                json(done(json!({"wasm_path": "s3://bucket/a.wasm"}))),
            ],
        )
        .await;
    let built = fake.build(None).await.unwrap();
    assert_eq!(built.wasm_path.as_deref(), Some("s3://bucket/a.wasm"));
    assert!(
        fake.told.lines().contains("levitating"),
        "{}",
        fake.told.lines()
    );
}

#[tokio::test]
async fn a_job_that_it_no_longer_knows_ends_with_its_words() {
    let at = format!("/api/v1/tasks/{JOB}");
    let unknown = ResponseTemplate::new(404).set_body_json(json!({"detail": "Task not found"}));
    let fake = Fake::start()
        .await
        .accepts("/api/v1/build")
        .await
        .answers("GET", &at, &[unknown])
        .await;
    let error = fake.build(None).await.unwrap_err().to_string();
    assert!(
        error.contains("Task not found") && error.contains(JOB),
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

#[tokio::test]
async fn its_health_is_asked_for() {
    let fake = Fake::start().await;
    assert!(
        fake.builder
            .check()
            .await
            .is_err_and(|text| text.contains("BUILDER_SERVICE_URL"))
    );
    let well = ResponseTemplate::new(200).set_body_json(json!({"status": "healthy"}));
    let fake = fake.answers("GET", "/health", &[well]).await;
    // The first answer was wiremock's own for what nobody mounted.
    assert_eq!(fake.builder.check().await, Ok(()));
    let away = BuilderService::new("http://me:pw-7@127.0.0.1:9").unwrap();
    let text = away.check().await.unwrap_err();
    assert!(
        text.contains("cannot be reached") && !text.contains("pw-7"),
        "{text}"
    );
}

#[tokio::test]
async fn errors_say_what_may_have_happened() {
    let server = MockServer::start().await;
    let service = BuilderService::new(&format!("{}/base", server.uri())).unwrap();
    let long = "x".repeat(5 * 1024 * 1024);
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    for (at, answer) in [
        ("long", ResponseTemplate::new(200).set_body_string(long)),
        ("slow", slow),
        (
            "moved",
            ResponseTemplate::new(302).insert_header("location", "http://127.0.0.1:9/"),
        ),
        ("busy", ResponseTemplate::new(429)),
        (
            "echo",
            ResponseTemplate::new(500)
                .set_body_json(json!({"detail": "docker login -u robot -p pa55word"})),
        ),
    ] {
        let mock = Mock::given(path(format!("/base/{at}")));
        mock.respond_with(answer).mount(&server).await;
    }
    let well = ResponseTemplate::new(200).set_body_json(json!({"ok": true}));
    let asked = Mock::given(path("/base/x")).and(query_param("q", "a&b"));
    asked.respond_with(well).mount(&server).await;
    let body = json!({"username": "robot", "password": "pa55word"});
    let post = async |at: &str| {
        let answer = service.post::<Value>(at, &body, Duration::from_millis(500));
        answer.await.unwrap_err()
    };
    assert!(matches!(post("long").await, ServiceError::Unclear(_)));
    assert!(matches!(post("slow").await, ServiceError::Unclear(_)));
    assert!(matches!(
        post("moved").await,
        ServiceError::Refused { status: 302, .. }
    ));
    assert!(matches!(post("busy").await, ServiceError::Unavailable(_)));
    let echo = post("echo").await.to_string();
    assert!(
        echo.contains("docker login") && !echo.contains("pa55word") && !echo.contains("robot"),
        "{echo}"
    );
    assert_eq!(
        service.get::<Value>("x", &[("q", "a&b")]).await.unwrap(),
        json!({"ok": true})
    );
    let away = BuilderService::new("http://127.0.0.1:9").unwrap();
    assert!(matches!(
        away.get::<Value>("x", &[]).await,
        Err(ServiceError::Unavailable(_))
    ));
}
