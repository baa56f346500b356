//! A server that stops while it is used: what it took up it answers, and records.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

use super::journey::{BUILD_TIMEOUT, build_and_push, has_ended, task_when};
use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace};
use crate::support::figures::{scrape, sum};

/// Callers at the same time, each with a connection that it keeps.
const CALLERS: usize = 8;
/// A stop finishes what runs for 25 s at most.
const STOP_TIMEOUT: Duration = Duration::from_mins(1);
const PATIENCE: Duration = Duration::from_mins(1);

/// Takes a moment, so that calls are under way at any time.
const SLOW: &str = "import time\nfrom spin_sdk.http import IncomingHandler as BaseHandler, Request, Response\n\n\nclass IncomingHandler(BaseHandler):\n    def handle_request(self, request: Request) -> Response:\n        time.sleep(0.05)\n        return Response(200, {\"content-type\": \"text/plain\"}, b\"here\")\n";

async fn deploy(app: &TestApp) -> Function {
    let workspace = a_workspace().create(app).await;
    let function = a_function().create(app, &workspace).await;
    let task = build_and_push(app, &function, SLOW).await;
    let built = task_when(app, &task, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(built["status"], "done", "{built}");
    let deployment = json!({
        "app_name": "slow",
        "namespace": "default",
        "image_ref": built["result"]["image_url"],
        "function_id": function.id,
    });
    app.post("/api/v1/deploy", &deployment)
        .await
        .with_status(200);
    function
}

/// A caller that uses a connection as long as the server lets it, and never sends a request again.
struct Caller {
    authority: String,
    connection: Option<SendRequest<Empty<Bytes>>>,
}

enum Called {
    Answered,
    /// Nobody takes connections there.
    Refused,
    /// The request was sent, and no answer came, or another one than expected.
    Lost(String),
}

impl Caller {
    fn of(functions: &str) -> Self {
        Self {
            authority: functions.trim_start_matches("http://").to_owned(),
            connection: None,
        }
    }

    async fn call(&mut self) -> Called {
        // One that the server has closed is not used again.
        let usable = match self.connection.as_mut() {
            Some(connection) => connection.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            let Ok(stream) = TcpStream::connect(&self.authority).await else {
                return Called::Refused;
            };
            match hyper::client::conn::http1::handshake(TokioIo::new(stream)).await {
                Ok((sender, connection)) => {
                    tokio::spawn(connection);
                    self.connection = Some(sender);
                }
                Err(error) => return Called::Lost(error.to_string()),
            }
        }
        let request = Request::get("/slow/")
            .header(header::HOST, &self.authority)
            .body(Empty::new())
            .expect("a request");
        let connection = self.connection.as_mut().expect("a connection");
        match connection.send_request(request).await {
            Ok(response) if response.status() == 200 => {
                let body = response.into_body().collect().await;
                match body.map(http_body_util::Collected::to_bytes) {
                    Ok(body) if body == "here" => Called::Answered,
                    other => Called::Lost(format!("{other:?}")),
                }
            }
            Ok(response) => Called::Lost(response.status().to_string()),
            Err(error) => Called::Lost(error.to_string()),
        }
    }
}

async fn is_ready(app: &TestApp) -> bool {
    let ready = app.get("/health/ready").await;
    let leaves = ready.json()["dependencies"]["server"] == "stopping";
    assert_eq!(ready.status == 503, leaves, "{}", ready.text());
    !leaves
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_that_was_taken_up_is_answered_and_recorded() {
    let mut app = TestApp::start_for_builds_with(&[
        ("BLUE_FAAS_DRAIN", "2"),
        ("BLUE_FAAS_METRICS_ADDR", "127.0.0.1:0"),
    ]);
    let function = deploy(&app).await;
    let built = sum(
        &scrape(&app).await,
        "blue_faas_build_duration_seconds_count",
        &[("result", "done")],
    );
    assert!((built - 1.0).abs() < 0.5, "{built}");
    let leaving = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (mut caller, leaving) = (Caller::of(app.functions()), leaving.clone());
            tokio::spawn(async move {
                let (mut answered, mut answered_late) = (0, 0);
                loop {
                    let was_leaving = leaving.load(Ordering::SeqCst);
                    match caller.call().await {
                        Called::Answered => {
                            answered += 1;
                            answered_late += usize::from(was_leaving);
                        }
                        // Where the last connections end is for the server's own count to tell, below.
                        Called::Refused | Called::Lost(_) => return (answered, answered_late),
                    }
                }
            })
        })
        .collect();
    let record = |app: &TestApp| {
        let request = app.request(http::Method::GET, &function.path());
        async move {
            crate::support::answer::Answer::of(request)
                .await
                .with_status(200)
        }
    };
    let deadline = std::time::Instant::now() + PATIENCE;
    while record(&app).await["invocations24h"].as_u64() < Some(40) {
        assert!(
            std::time::Instant::now() < deadline,
            "hardly anything is called"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let called = sum(
        &scrape(&app).await,
        "blue_faas_function_call_duration_seconds_count",
        &[("trigger", "http"), ("result", "success")],
    );
    assert!(called >= 40.0, "{called}");
    app.terminate();
    leaving.store(true, Ordering::SeqCst);
    let (mut answered, mut answered_late) = (0, 0);
    for caller in callers {
        let (all, late) = caller.await.expect("no panic");
        answered += all;
        answered_late += late;
    }
    assert!(app.ended(STOP_TIMEOUT).await, "it ended in order");
    assert!(answered_late > 0, "calls went on after the signal");
    app.start_again();
    let recorded = record(&app).await;
    // One more would have been taken up and not answered; one less was answered and lost.
    assert_eq!(recorded["invocations24h"], answered, "{recorded}");
    assert_eq!(recorded["errors24h"], 0, "{recorded}");
}

/// One of the servers behind a balancer.
struct Backend {
    functions: String,
    /// As the balancer last saw it.
    ready: AtomicBool,
    under_way: AtomicUsize,
}

impl Backend {
    fn of(app: &TestApp) -> Arc<Self> {
        Arc::new(Self {
            functions: app.functions().to_owned(),
            ready: AtomicBool::new(true),
            under_way: AtomicUsize::new(0),
        })
    }
}

/// What a balancer does: requests go in turns to the servers that are ready.
async fn call_in_turns(backends: Vec<Arc<Backend>>, enough: Arc<AtomicBool>) -> usize {
    let mut callers: Vec<Caller> = backends
        .iter()
        .map(|backend| Caller::of(&backend.functions))
        .collect();
    let (mut turn, mut answered) = (0, 0);
    while !enough.load(Ordering::SeqCst) {
        turn = (turn + 1) % backends.len();
        let backend = &backends[turn];
        backend.under_way.fetch_add(1, Ordering::SeqCst);
        // Looked at after it was counted, so that whoever takes it away sees this call or is seen.
        if backend.ready.load(Ordering::SeqCst) {
            match callers[turn].call().await {
                Called::Answered => answered += 1,
                Called::Refused => panic!("a server that is ready refused a connection"),
                Called::Lost(why) => panic!("a request failed: {why}"),
            }
        }
        backend.under_way.fetch_sub(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_replaced_one_by_one_and_no_request_fails() {
    // Ended by a second signal, once nothing goes there any more: the test waits for that instead of a time.
    const SETTINGS: &[(&str, &str)] = &[("BLUE_FAAS_DRAIN", "3600")];
    let mut apps = [
        TestApp::start_for_builds_with(SETTINGS),
        TestApp::start_replica_with(SETTINGS),
    ];
    for app in &apps {
        deploy(app).await;
    }
    let mut answered = 0;
    for leaving in 0..apps.len() {
        let backends: Vec<_> = apps.iter().map(Backend::of).collect();
        let enough = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| tokio::spawn(call_in_turns(backends.clone(), enough.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        apps[leaving].terminate();
        let deadline = std::time::Instant::now() + PATIENCE;
        while is_ready(&apps[leaving]).await {
            assert!(std::time::Instant::now() < deadline, "it stays ready");
        }
        // Until here the balancer did not know, and all was answered.
        backends[leaving].ready.store(false, Ordering::SeqCst);
        while backends[leaving].under_way.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        apps[leaving].terminate();
        assert!(apps[leaving].ended(STOP_TIMEOUT).await, "it ended in order");
        apps[leaving].start_again();
        assert!(is_ready(&apps[leaving]).await);
        enough.store(true, Ordering::SeqCst);
        for caller in callers {
            answered += caller.await.expect("no request failed");
        }
    }
    assert!(answered > CALLERS, "{answered}");
}
