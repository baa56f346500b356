//! Calls of the function, and what is recorded of them.

use futures::future::{join, join_all};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::{APP, Story, WRITTEN};
use crate::support::answer::Answer;
use crate::support::builders::text;
use crate::support::events::Events;

impl Story {
    pub(super) async fn calls_at_the_same_time_are_counted_exactly(&self) {
        let invoke = self.invoke_path();
        let by_url = join_all((0..30).map(|n| {
            let path = if n % 5 == 0 { "/fail" } else { "/" };
            self.app.call(APP, path)
        }));
        let invoked = join_all((0..30).map(|n| {
            let (app, invoke) = (&self.app, &invoke);
            async move { app.post(invoke, &json!({ "n": n })).await }
        }));
        let (by_url, invoked) = join(by_url, invoked).await;
        let statuses = |status: u16| {
            let same = by_url.iter().filter(|answer| answer.status == status);
            same.count()
        };
        assert_eq!((statuses(200), statuses(500)), (24, 6));
        assert!(invoked.iter().all(|answer| answer.status == 200));

        tokio::time::sleep(WRITTEN).await;
        let function = self.function.read(&self.app).await;
        assert_eq!(function["invocations24h"], 60);
        assert_eq!(function["errors24h"], 6);
        assert!(function["avgDuration"].as_f64().is_some_and(|ms| ms > 0.1));
        let workspace = self.workspace.read(&self.app).await;
        assert_eq!(workspace["invocations24h"], 60);
        assert_eq!(workspace["errorRate"], 10.0);
    }

    pub(super) async fn executions_are_paged_and_filtered(&self) {
        let all = self.executions("limit=1000").await;
        assert_eq!(all["total"], 60);
        let ids = |page: &Value| -> Vec<String> {
            let rows = page["logs"].as_array().expect("rows");
            rows.iter().map(|row| text(row, "id")).collect()
        };
        let unique: BTreeSet<String> = ids(&all).into_iter().collect();
        assert_eq!(unique.len(), 60);
        let times: Vec<&str> = all["logs"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|row| row["timestamp"].as_str())
            .collect();
        assert!(times.is_sorted_by(|a, b| a >= b), "newest first: {times:?}");

        let mut paged = Vec::new();
        let mut next = String::new();
        for rows in [25, 25, 10] {
            let page = self.executions(&format!("limit=25{next}")).await;
            assert_eq!(page["total"], rows);
            paged.extend(ids(&page));
            next = page["next"]
                .as_str()
                .map(|cursor| format!("&cursor={cursor}"))
                .unwrap_or_default();
        }
        assert_eq!(next, "", "nothing follows the last page");
        assert_eq!(paged, ids(&all));

        // The address of the next page asks for the same.
        let logs = format!("{}/logs?limit=4&status=error", self.function.path());
        let first = self.app.get(&logs).await;
        let link = first.header("link").to_owned();
        assert_eq!(first.with_status(200)["total"], 4);
        let next = link.trim_start_matches('<').split('>').next();
        let last = self.app.get(next.unwrap_or_default()).await;
        assert_eq!(last.with_status(200)["total"], 2, "{link}");

        let failed = self.executions("limit=1000&status=error").await;
        assert_eq!(failed["total"], 6);
        for row in failed["logs"].as_array().into_iter().flatten() {
            assert_eq!(row["statusCode"], 500);
            assert_eq!(row["level"], "error");
            assert_eq!(row["path"], "/fail");
            let lines = row["logs"].as_array().expect("lines");
            let exception = json!("ValueError: failed as asked");
            assert!(lines.contains(&exception), "{row}");
        }
        assert_eq!(self.executions("limit=1000&code=200").await["total"], 54);
        let path = format!("{}/logs?limit=500", self.workspace.path());
        let over_all = self.app.get(&path).await.with_status(200);
        assert_eq!(ids(&over_all), ids(&all));
    }

    pub(super) async fn the_function_sees_the_request_and_the_caller_the_answer(&self) {
        let request = self
            .app
            .function_request(Method::POST, APP, "/orders/7?page=2&q=%20")
            .header("cookie", "blue_faas_session=ours; own=theirs")
            .body("Grüße");
        let answer = Answer::of(request).await;
        let seen = answer.with_status(200);
        assert_eq!(seen["method"], "POST");
        assert_eq!(seen["uri"], "/orders/7?page=2&q=%20");
        assert_eq!(seen["body"], "Grüße");
        assert_eq!(
            seen["cookie"], "own=theirs",
            "the console's cookies stay out"
        );
        assert_eq!(answer.header("set-cookie"), "", "and cannot be set");
        assert_eq!(answer.header("x-own"), "kept");
        assert_eq!(answer.header("x-blue-version"), "1");
        let by_host = self
            .app
            .function_request(Method::GET, "by", "/host?a=b")
            .header("host", format!("{APP}.localhost"));
        let seen = Answer::of(by_host).await.with_status(200);
        assert_eq!(seen["uri"], "/by/host?a=b");
    }

    pub(super) async fn an_invocation_answers_the_execution_as_it_is_recorded(&self) {
        let sent = json!({"amount": 1.5, "items": [1, null, "x"], "nested": {"yes": true}});
        let invoked = self
            .app
            .post(&self.invoke_path(), &sent)
            .await
            .with_status(200);
        assert_eq!(invoked["requestBody"], sent, "JSON types stay");
        assert_eq!(invoked["responseBody"]["number"], 7);
        assert_eq!(invoked["responseBody"]["ratio"], 0.5);
        assert_eq!(invoked["responseBody"]["list"], json!([true, null, "text"]));
        assert_eq!(invoked["responseBody"]["method"], "POST");
        for (field, value) in [
            ("status", json!("success")),
            ("statusCode", json!(200)),
            ("level", json!("info")),
            ("trigger", json!("invoke")),
            ("version", json!(1)),
            ("logs", json!(["asked for /"])),
            ("functionId", json!(self.function.id)),
        ] {
            assert_eq!(invoked[field], value, "{field}");
        }
        assert!(invoked["duration"].as_f64().is_some_and(|ms| ms > 0.1));
        assert_eq!(self.newest_execution().await, invoked);
        let nothing = self.app.request(Method::POST, &self.invoke_path());
        let invoked = Answer::of(nothing).await.with_status(200);
        assert_eq!(invoked.get("requestBody"), None);
    }

    pub(super) async fn a_test_call_is_a_full_request(&self) {
        let path = format!("{}/test", self.function.path());
        let request = json!({
            "method": "POST", "path": "/orders", "query": "dry_run=true", "headers": {"authorization": "Bearer secret", "x-id": "7"},
            "body": "AQID", "bodyEncoding": "base64",
        });
        let tested = self.app.post(&path, &request).await.with_status(200);
        assert_eq!(tested["responseBody"]["uri"], "/orders?dry_run=true");
        assert_eq!(tested["responseBody"]["body"], "\u{1}\u{2}\u{3}");
        assert_eq!(tested["trigger"], "test");
        assert_eq!(tested["query"], "dry_run=true");
        let headers = |name: &str| tested[name].as_array().cloned().unwrap_or_default();
        assert!(headers("responseHeaders").contains(&json!(["x-own", "kept"])));
        assert!(headers("requestHeaders").contains(&json!(["x-id", "7"])));
        assert!(headers("requestHeaders").contains(&json!(["authorization", "***"])));
        assert_eq!(self.newest_execution().await, tested);
        let failing = json!({"method": "GET", "path": "/fail"});
        let tested = self.app.post(&path, &failing).await.with_status(200);
        assert_eq!(tested["status"], "error");
        assert_eq!(tested["statusCode"], 500);
    }

    pub(super) async fn output_and_cpu_can_be_read(&self) {
        let path = format!("{}/loki-logs", self.function.alias());
        tokio::time::sleep(WRITTEN).await;
        let mut events = Events::open(&self.app, &path, None).await;
        self.call_json("/newest").await;
        let (name, id, line) = events.next().await;
        assert_eq!(name, "line");
        assert_eq!(line["line"], "asked for /newest");
        assert_eq!(line["timestamp"], id);
        let path = format!("{path}?limit=3");
        let lines = self.app.get(&path).await.with_status(200);
        assert_eq!(lines["total"], 3);
        assert_eq!(lines["function_id"], self.function.id);
        assert_eq!(lines["logs"][0]["line"], "asked for /newest");
        let nanoseconds: Vec<i64> = lines["logs"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|line| line["timestamp"].as_str()?.parse().ok())
            .collect();
        assert_eq!(nanoseconds.len(), 3);
        assert!(nanoseconds.is_sorted_by(|a, b| a >= b));
        let path = format!("{}/metrics", self.function.alias());
        let metrics = self.app.get(&path).await.with_status(200);
        assert_eq!(metrics["status"], "success");
        let series = metrics["data"]["cpu_series"].as_array().expect("a series");
        assert!(
            series
                .iter()
                .any(|sample| sample["value"].as_f64().is_some_and(|value| value > 0.0)),
            "{metrics}"
        );
    }
}
