//! Two servers on one table and one bucket.
//!
//! `BLUE_FAAS_REPLICA_BUILDS` says how many builds have to survive; `make soak` has 200.

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::journey::{BUILD_TIMEOUT, has_ended, task_when};
use crate::support::app::{Settings, TestApp};
use crate::support::builders::{Function, Workspace, a_function, a_workspace, text};
use crate::support::emulator::Emulator;
use crate::support::s3::S3Server;

/// Builds that have to survive, unless the environment says another number.
const BUILDS: usize = 20;
const KILL_EVERY: Duration = Duration::from_secs(3);
/// A lease of 15 s has to end before another server takes a build up.
const PATIENCE: Duration = Duration::from_mins(3);

/// The servers, and what stands for AWS.
struct Replicas {
    servers: [TestApp; 2],
    _emulator: Emulator,
    s3: S3Server,
}

impl Replicas {
    async fn start() -> Self {
        let (emulator, s3) = (Emulator::dynoxide(), S3Server::start());
        let mut settings = emulator.settings().await.to_vec();
        // The bucket's credentials stand last: the table takes any.
        settings.extend(s3.settings());
        settings.push(("BLUE_FAAS_INVOKE_ALLOWED_HOSTS", "127.0.0.1"));
        // Retention looks at every start.
        settings.push(("BLUE_FAAS_KEEP_VERSIONS", "1000"));
        let settings: Settings = settings.leak();
        Self {
            servers: [
                TestApp::start_for_builds_with(settings),
                TestApp::start_replica_with(settings),
            ],
            _emulator: emulator,
            s3,
        }
    }
}

fn module(answer: &str) -> String {
    format!(
        "from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response\n\n\nclass IncomingHandler(BaseHandler):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {{\"content-type\": \"text/plain\"}}, bytes(\"{answer}\", \"utf-8\"))\n"
    )
}

/// Builds and deploys on this server, and answers when that was done.
async fn deploy(
    app: &TestApp,
    workspace: &Workspace,
    function: &Function,
    answer: &str,
) -> Instant {
    let fields = [
        ("workspace_id", workspace.id.as_str()),
        ("function_id", function.id.as_str()),
        ("registry_url", "registry.example.com/team/replicas"),
    ];
    let code = module(answer);
    let accepted = app
        .upload(
            Method::POST,
            "/api/v1/build-and-push",
            ("app.py", &code),
            &fields,
        )
        .await
        .with_status(202);
    let task = text(&accepted, "task_id");
    let built = task_when(app, &task, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(built["status"], "done", "{built}");
    let deployment = json!({
        "app_name": format!("app-{}", function.id.to_lowercase()),
        "namespace": "default",
        "image_ref": built["result"]["image_url"],
        "function_id": function.id,
    });
    app.post("/api/v1/deploy", &deployment)
        .await
        .with_status(200);
    Instant::now()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_on_one_server_answers_on_the_other_and_no_request_fails() {
    let replicas = Replicas::start().await;
    let [one, other] = &replicas.servers;
    let workspace = a_workspace().create(one).await;
    let function = a_function().create(one, &workspace).await;
    // Once on each, so that both have prepared what all functions share.
    deploy(one, &workspace, &function, "first").await;
    deploy(other, &workspace, &function, "second").await;
    let app = format!("app-{}", function.id.to_lowercase());
    for (server, reader, answer) in [(one, other, "third"), (other, one, "fourth")] {
        let deployed = deploy(server, &workspace, &function, answer).await;
        loop {
            let seen = reader.call(&app, "/").await;
            assert_eq!(seen.status, 200, "a request failed: {}", seen.text());
            if seen.text() == answer {
                break;
            }
            // Two seconds are the promise; a machine that is busy with other tests takes its time to load the artifact.
            let late = deployed.elapsed() > Duration::from_mins(1);
            assert!(!late, "{} instead of {answer}", seen.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(function.read(one).await["appName"], app);
    assert!(replicas.s3.seen("GET", "/build-artifacts/") > 0);
}

/// A function's own server elsewhere.
async fn a_service_elsewhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = axum::Router::new().fallback(async || "called");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_by_fifty_callers_on_two_servers_are_counted_exactly() {
    let replicas = Replicas::start().await;
    let [one, other] = &replicas.servers;
    let workspace = a_workspace().create(one).await;
    let elsewhere = a_service_elsewhere().await;
    let function = a_function()
        .with("invocationUrl", elsewhere.as_str())
        .create(one, &workspace)
        .await;
    let path = format!("{}/invoke", function.path());
    let callers = (0..50).map(|caller| {
        let server = if caller % 2 == 0 { one } else { other };
        let path = &path;
        async move {
            let mut ids = Vec::new();
            for _ in 0..20 {
                let call = server.post(path, &json!({})).await.with_status(200);
                ids.push(text(&call, "id"));
            }
            ids
        }
    });
    let called: HashSet<String> = join_all(callers).await.into_iter().flatten().collect();
    assert_eq!(called.len(), 1_000);
    for server in &replicas.servers {
        assert_eq!(function.read(server).await["invocations24h"], 1_000);
        assert_eq!(workspace.read(server).await["invocations24h"], 1_000);
        let logs = format!("{}/logs?limit=1000", function.path());
        let listed = server.get(&logs).await.with_status(200);
        let rows = listed["logs"].as_array().expect("a list").iter();
        let recorded: HashSet<String> = rows.map(|row| text(row, "id")).collect();
        assert!(recorded == called, "{} are recorded", recorded.len());
    }
}

/// Asks until a server takes the build: the one that was asked may have been killed before or after it did.
async fn submit(consoles: Arc<Mutex<[String; 2]>>, function: Value, n: usize) -> String {
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.expect("a client");
    let part = |name: &str, content: &str| {
        format!("--boundary\r\ncontent-disposition: form-data; {name}\r\n\r\n{content}\r\n")
    };
    let body = [
        part("name=\"workspace_id\"", &text(&function, "workspace")),
        part("name=\"function_id\"", &text(&function, "id")),
        part(
            "name=\"registry_url\"",
            "registry.example.com/team/replicas",
        ),
        part(
            "name=\"file\"; filename=\"app.py\"",
            &module(&format!("build {n}")),
        ),
        "--boundary--\r\n".to_owned(),
    ]
    .concat();
    for attempt in 0..600 {
        let console = consoles.lock().expect("a lock")[(n + attempt) % 2].clone();
        let answer = client
            .post(format!("{console}/api/v1/build-and-push"))
            .header("content-type", "multipart/form-data; boundary=boundary")
            .body(body.clone())
            .timeout(Duration::from_secs(10))
            .send()
            .await;
        if let Ok(answer) = answer
            && answer.status() == 202
            && let Ok(accepted) = answer.json::<Value>().await
        {
            return text(&accepted, "task_id");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("nobody takes build {n}");
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_end_once_however_often_a_server_is_killed() {
    let wanted = std::env::var("BLUE_FAAS_REPLICA_BUILDS");
    let wanted = wanted.map_or(BUILDS, |text| text.parse().expect("a number"));
    let mut replicas = Replicas::start().await;
    let workspace = a_workspace().create(&replicas.servers[0]).await;
    let function = a_function().create(&replicas.servers[0], &workspace).await;
    for server in &replicas.servers {
        deploy(server, &workspace, &function, "prepared").await;
    }
    let addresses = |servers: &[TestApp; 2]| {
        [
            servers[0].console().to_owned(),
            servers[1].console().to_owned(),
        ]
    };
    let consoles = Arc::new(Mutex::new(addresses(&replicas.servers)));
    let target = json!({"workspace": workspace.id, "id": function.id});
    let submitted = tokio::spawn({
        let (consoles, target) = (Arc::clone(&consoles), target.clone());
        async move {
            let mut tasks = Vec::new();
            for n in 0..wanted {
                tasks.push(submit(Arc::clone(&consoles), target.clone(), n).await);
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            tasks
        }
    });
    let mut kills = 0;
    while !submitted.is_finished() || kills < 3 {
        tokio::time::sleep(KILL_EVERY).await;
        let killed = rand::random_range(0..2);
        replicas.servers[killed].kill();
        replicas.servers[killed].start_again();
        *consoles.lock().expect("a lock") = addresses(&replicas.servers);
        kills += 1;
    }
    let accepted = submitted.await.expect("every build is taken");
    for task in &accepted {
        let ended = task_when(&replicas.servers[0], task, PATIENCE, has_ended).await;
        assert_eq!(ended["status"], "done", "after {kills} kills: {ended}");
    }

    // More than were accepted: an answer can be lost with its server. Each made one version.
    let list = format!("/api/v1/workspaces/{}/tasks", workspace.id);
    let listed = replicas.servers[0].get(&list).await.with_status(200);
    let mut tasks = Vec::new();
    for task in listed["tasks"].as_array().expect("a list") {
        let id = text(task, "task_id");
        let ended = task_when(&replicas.servers[0], &id, PATIENCE, has_ended).await;
        assert_eq!(ended["status"], "done", "{ended}");
        tasks.push(id);
    }
    assert!(accepted.iter().all(|task| tasks.contains(task)));
    let mut made = Vec::new();
    // One by one: a list ends at a hundred.
    for number in 1..=tasks.len() {
        let path = format!("/api/v1/functions/{}/versions/{number}", function.id);
        let version = replicas.servers[1].get(&path).await.with_status(200);
        made.push(text(&version, "task_id"));
    }
    made.sort();
    tasks.sort();
    assert_eq!(made, tasks, "each build made one version");
    let further = format!(
        "/api/v1/functions/{}/versions/{}",
        function.id,
        made.len() + 1
    );
    replicas.servers[1]
        .get(&further)
        .await
        .refused(404, "NOT_FOUND");
}
