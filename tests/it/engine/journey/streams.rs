//! An answer that is written over seconds: callers see it grow, and each call is recorded at its end.

use http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use super::versions::Versioned;

const APP: &str = "stream";
const SOURCE: &str = include_str!("../../../fixtures/stream.py");

#[tokio::test]
async fn an_answer_reaches_its_caller_as_it_is_written() {
    let story = Versioned::begin(APP, SOURCE, json!({})).await;
    story.a_caller_reads_along().await;
    story.a_failure_breaks_the_answer_off().await;
    story.an_answer_without_a_body_runs_to_its_end().await;
    story.a_caller_who_leaves_ends_the_call().await;
}

impl Versioned {
    async fn begin_call(&self, query: &str) -> reqwest::Response {
        let path = format!("/?{query}");
        let request = self.app.function_request(Method::GET, APP, &path);
        request.send().await.expect("it answers")
    }

    /// The newest execution, once there are so many.
    async fn execution(&self, count: usize) -> Value {
        let logs = format!("{}/logs", self.function.alias());
        for _ in 0..600 {
            let page = self.app.get(&logs).await.with_status(200);
            if page["total"] == count {
                return page["logs"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("there are no {count} executions");
    }

    async fn a_caller_reads_along(&self) {
        let mut answer = self.begin_call("n=3&ms=1500").await;
        let begun = Instant::now();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-blue-version"], "1");
        let first = answer.chunk().await.expect("whole").expect("a piece");
        assert_eq!(first, "0");
        let rest = answer.text().await.expect("whole");
        assert_eq!(rest, "12");
        assert!(begun.elapsed() > Duration::from_millis(800));
        let execution = self.execution(1).await;
        assert_eq!(execution["status"], "success");
        assert_eq!(execution["responseBody"], "012");
        assert_eq!(execution["responseSize"], 3);
        assert!(execution["duration"].as_f64() > Some(900.0), "{execution}");
    }

    async fn a_failure_breaks_the_answer_off(&self) {
        let answer = self.begin_call("n=2&ms=300&fail=1").await;
        assert_eq!(answer.status(), 200);
        answer.bytes().await.expect_err("it is not whole");
        let execution = self.execution(2).await;
        assert_eq!(execution["status"], "error");
        assert_eq!(execution["statusCode"], 502);
    }

    async fn an_answer_without_a_body_runs_to_its_end(&self) {
        let answer = self.begin_call("n=3&ms=200&status=204").await;
        assert_eq!(answer.status(), 204);
        let execution = self.execution(3).await;
        assert_eq!(execution["responseBody"], "012");
        assert_eq!(execution["logs"], json!([]));
    }

    async fn a_caller_who_leaves_ends_the_call(&self) {
        let mut answer = self.begin_call("n=100&ms=300").await;
        answer.chunk().await.expect("whole").expect("a piece");
        drop(answer);
        let execution = self.execution(4).await;
        assert_eq!(execution["status"], "success");
        let note = execution["logs"][0].as_str().expect("a line");
        assert!(note.contains("left before"), "{note}");
        assert!(execution["duration"].as_f64() < Some(5_000.0));
    }
}
