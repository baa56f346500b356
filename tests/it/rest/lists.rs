//! Lists of executions and lines: limits and filters are checked, an empty one is a list.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace};

#[tokio::test]
async fn a_limit_out_of_its_range_is_refused() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    for (path, most) in [
        (format!("{}/logs", workspace.path()), 500),
        (format!("{}/logs", function.path()), 1_000),
        (format!("{}/logs", function.alias()), 1_000),
        (format!("{}/loki-logs", function.alias()), 1_000),
    ] {
        for limit in ["1".to_owned(), most.to_string()] {
            let answer = app.get(&format!("{path}?limit={limit}")).await;
            let list = answer.with_status(200);
            assert_eq!(list["logs"], json!([]), "{path} {limit}");
            assert_eq!(list["total"], 0);
        }
        let beyond = (most + 1).to_string();
        for limit in ["0", "-1", "1.5", "many", &beyond] {
            let answer = app.get(&format!("{path}?limit={limit}")).await;
            assert_eq!(answer.refused_field(), "limit", "{path} {limit}");
        }
    }
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused_by_its_name() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    for path in [workspace.path(), function.path(), function.alias()] {
        for (query, field) in [
            ("status=broken", "status"),
            ("code=teapot", "code"),
            ("from=yesterday", "from"),
            ("to=2025-12-07", "to"),
            ("cursor=!", "cursor"),
        ] {
            let answer = app.get(&format!("{path}/logs?{query}")).await;
            assert_eq!(answer.refused_field(), field, "{path} {query}");
        }
        let all = "status=error&code=500&from=2025-12-07T00:00:00Z&to=2025-12-08T00:00:00%2B09:00&q=a%20b&limit=5";
        let found = app.get(&format!("{path}/logs?{all}")).await;
        assert_eq!(found.with_status(200)["logs"], json!([]));
    }
}

#[tokio::test]
async fn a_function_without_calls_has_metrics_of_zero() {
    let app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let metrics = app
        .get(&format!("{}/metrics", function.alias()))
        .await
        .with_status(200);
    assert_eq!(metrics["status"], "success");
    assert_eq!(metrics["function_id"], function.id);
    assert_eq!(metrics["data"]["cpu_total"], 0.0);
    assert_eq!(metrics["data"]["window_seconds"], 3_600);
    let series = metrics["data"]["cpu_series"].as_array().expect("a series");
    assert!(!series.is_empty());
    for pair in series.windows(2) {
        let (earlier, later) = (pair[0]["timestamp"].as_i64(), pair[1]["timestamp"].as_i64());
        assert_eq!(later.zip(earlier).map(|(l, e)| l - e), Some(60));
    }
    assert!(series.iter().all(|sample| sample["value"] == 0.0));
}
