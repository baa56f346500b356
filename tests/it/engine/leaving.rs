//! Callers who leave before they have an answer: their calls are recorded and counted like all others.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::journey::{BUILD_TIMEOUT, build_and_push, has_ended, task_when};
use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace, text};
use crate::support::figures::{scrape, sum};
use crate::support::gate::{Gate, Waiting};

const APP: &str = "leaving";
const PATIENCE: Duration = Duration::from_mins(2);

const ASKING: &str = r#"import os

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response, send


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        if request.uri.endswith("/quick"):
            return Response(200, {}, b"quick")
        print("asking")
        answer = send(Request("GET", os.environ["GATE"], {}, None))
        return Response(200, {"content-type": "text/plain"}, answer.body)
"#;

/// A function that asks the gate, with version 1 serving.
struct Story {
    app: TestApp,
    gate: Gate,
    function: Function,
}

impl Story {
    async fn begin() -> Self {
        let app = TestApp::start_for_builds_with(&[
            ("BLUE_FAAS_MAX_CONCURRENCY", "1,1"),
            ("BLUE_FAAS_METRICS_ADDR", "127.0.0.1:0"),
        ]);
        let gate = Gate::open().await;
        let workspace = a_workspace().create(&app).await;
        let function = a_function()
            .with("httpMethods", json!(["GET", "POST"]))
            .with("environmentVariables", json!({"GATE": gate.url()}))
            .with("allowedOutboundHosts", json!([gate.url()]))
            .with("timeout", 900)
            .create(&app, &workspace)
            .await;
        let story = Self {
            app,
            gate,
            function,
        };
        let image = story.build(ASKING).await;
        let deployment = json!({"app_name": APP, "namespace": "default", "image_ref": image, "function_id": story.function.id});
        let deployed = story.app.post("/api/v1/deploy", &deployment).await;
        deployed.with_status(200);
        story
    }

    async fn build(&self, source: &str) -> String {
        let task = build_and_push(&self.app, &self.function, source).await;
        let built = task_when(&self.app, &task, BUILD_TIMEOUT, has_ended).await;
        assert_eq!(built["status"], "done", "{built}");
        text(&built["result"], "image_url")
    }

    async fn send(&self, server: &str, request: &str) -> TcpStream {
        let authority = server.trim_start_matches("http://");
        let mut caller = TcpStream::connect(authority).await.expect("it listens");
        let request = request.replace("\r\n\r\n", &format!("\r\nhost: {authority}\r\n\r\n"));
        let sent = caller.write_all(request.as_bytes()).await;
        sent.expect("it is read");
        caller
    }

    async fn call_listener(&self) -> TcpStream {
        let request = format!("GET /{APP}/ HTTP/1.1\r\n\r\n");
        self.send(self.app.functions(), &request).await
    }

    /// Leaves as soon as the function asks the gate.
    async fn leave_listener(&self) -> Waiting {
        let _caller = self.call_listener().await;
        self.gate.arrived().await
    }

    async fn leave_api(&self, operation: &str, body: &str) -> Waiting {
        let request = format!(
            "POST {}/{operation} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.function.path(),
            body.len(),
        );
        let _caller = self.send(self.app.console(), &request).await;
        self.gate.arrived().await
    }

    /// The newest execution, once there are so many.
    async fn execution(&self, count: usize) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let path = format!("{}/logs", self.function.path());
        loop {
            let page = self.app.get(&path).await.with_status(200);
            if page["total"] == count {
                return page["logs"][0].clone();
            }
            assert!(Instant::now() < deadline, "no {count} executions: {page}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn counted(&self) -> (Value, Value) {
        let mut read = self.function.read(&self.app).await;
        (read["invocations24h"].take(), read["errors24h"].take())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_caller_leaves_is_recorded_and_counted() {
    let mut story = Story::begin().await;
    story.on_the_listener_it_ends().await;
    story.of_the_api_it_goes_on_to_its_end().await;
    story.a_stop_waits_for_it().await;
    story.on_a_canary_it_is_no_call_of_any_version().await;
}

impl Story {
    async fn on_the_listener_it_ends(&self) {
        let waiting = self.leave_listener().await;
        waiting.abandoned().await;
        let execution = self.execution(1).await;
        assert_eq!(
            (
                &execution["statusCode"],
                &execution["status"],
                &execution["level"]
            ),
            (&json!(499), &json!("success"), &json!("warn")),
            "{execution}"
        );
        assert_eq!(
            execution["error"],
            "The caller left before the function answered."
        );
        assert_eq!(execution["logs"], json!(["asking"]));
        assert_eq!(
            (&execution["trigger"], &execution["version"]),
            (&json!("http"), &json!(1))
        );
        assert!(execution["duration"].as_f64() > Some(0.0), "{execution}");
        assert!(execution["cpuMs"].as_f64() > Some(0.0), "{execution}");
        assert_eq!(self.counted().await, (json!(1), json!(0)));
        // Its place, the only one, is free.
        let next = self.app.call(APP, "/quick").await;
        assert_eq!((next.status.as_u16(), next.text().as_str()), (200, "quick"));
        assert_eq!(self.execution(2).await["statusCode"], 200);
    }

    async fn of_the_api_it_goes_on_to_its_end(&self) {
        let test = r#"{"method": "POST", "body": "text"}"#;
        for (count, trigger, body) in [(3, "invoke", "{}"), (4, "test", test)] {
            let waiting = self.leave_api(trigger, body).await;
            waiting.answer().await;
            let execution = self.execution(count).await;
            assert_eq!(execution["trigger"], trigger);
            assert_eq!(
                (&execution["statusCode"], &execution["responseBody"]),
                (&json!(200), &json!("hi")),
                "{execution}"
            );
            assert_eq!(execution["logs"], json!(["asking"]));
        }
        assert_eq!(self.counted().await, (json!(4), json!(0)));
    }

    async fn a_stop_waits_for_it(&mut self) {
        let waiting = self.leave_api("invoke", "{}").await;
        self.app.terminate();
        // From here on nothing but the call keeps the server.
        let deadline = Instant::now() + PATIENCE;
        let authority = self.app.console().trim_start_matches("http://").to_owned();
        while TcpStream::connect(&authority).await.is_ok() {
            assert!(Instant::now() < deadline, "it still listens");
        }
        waiting.answer().await;
        assert!(self.app.ended(PATIENCE).await, "in order");
        self.app.start_again();
        assert_eq!(self.execution(5).await["responseBody"], "hi");
    }

    async fn on_a_canary_it_is_no_call_of_any_version(&self) {
        const CALLS: usize = 10;
        self.build(&ASKING.replace("quick\"", "fast\"")).await;
        let canary = format!("/api/v1/functions/{}/canary", self.function.id);
        let plan = json!({"version": 2, "percent": 99, "min_calls": 1_000});
        self.app.post(&canary, &plan).await.with_status(201);
        for _ in 0..CALLS {
            self.leave_listener().await.abandoned().await;
        }
        self.execution(5 + CALLS).await;
        self.nor_is_it_while_it_waits_for_a_place().await;
        let counts = self.app.get(&canary).await.with_status(200)["counts"].take();
        let calls = |taker: &str| counts[taker]["calls"].as_u64().expect("a number");
        // The one whose caller stayed.
        assert_eq!(calls("canary") + calls("serving"), 1, "{counts}");
        assert_eq!(counts["canary"]["errors"], 0, "{counts}");
    }

    /// Beside one that has the only place, which answers in the end.
    async fn nor_is_it_while_it_waits_for_a_place(&self) {
        const LEFT: &str = "The caller left while the call waited for a place.";
        let first = self.call_listener().await;
        let asking = self.gate.arrived().await;
        let logs = format!("{}/logs?limit=1", self.function.path());
        let deadline = Instant::now() + PATIENCE;
        // One that waits for too long is refused before it leaves: then another one is sent.
        while self.app.get(&logs).await.with_status(200)["logs"][0]["error"] != LEFT {
            assert!(Instant::now() < deadline, "nobody left in time");
            let waits = self.call_listener().await;
            let seen = Instant::now() + Duration::from_secs(3);
            while Instant::now() < seen
                && sum(
                    &scrape(&self.app).await,
                    "blue_faas_function_calls_waiting",
                    &[],
                ) < 0.5
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            drop(waits);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        asking.answer().await;
        let deadline = Instant::now() + PATIENCE;
        let answered = format!("{}/logs?code=200&limit=1", self.function.path());
        while self.app.get(&answered).await.with_status(200)["logs"][0]["trigger"] != "http" {
            assert!(Instant::now() < deadline, "the first one is not recorded");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(first);
    }
}
