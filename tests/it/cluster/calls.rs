//! The functions listener as the gateway to the cluster.

use http::Method;
use serde_json::json;

use super::{IMAGE, deployed, start, until};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace};

/// Of the executions at a path, newest first.
async fn status_codes(app: &TestApp, path: &str) -> Vec<u64> {
    let logs = app.get(path).await.with_status(200);
    let codes = logs["logs"].as_array().expect("a list").iter();
    codes.filter_map(|one| one["statusCode"].as_u64()).collect()
}

#[tokio::test]
async fn a_function_sees_the_callers_request_and_spins_headers() {
    let (_cluster, app) = start().await;
    deployed(&app, &[("httpMethods", json!(["GET", "POST"]))]).await;
    let request = app
        .function_request(Method::POST, "paymentapprove", "/echo?a=1&b=%20")
        .header("x-own", "1")
        .header("spin-path-info", "/forged")
        .header("connection", "close, x-hop")
        .header("x-hop", "1")
        .header("cookie", "own=1; blue_faas_theme=dark")
        .body("text");
    let answer = Answer::of(request).await;
    let echoed = answer.with_status(200);
    assert_eq!(echoed["method"], "POST");
    assert_eq!(echoed["host"], "paymentapprove.default.svc.cluster.local");
    assert_eq!(echoed["query"], "a=1&b=%20");
    assert_eq!(echoed["body"], "text");
    let headers = &echoed["headers"];
    assert_eq!(headers["x-own"], "1");
    assert_eq!(headers["cookie"], "own=1");
    assert_eq!(headers["spin-path-info"], "/echo");
    assert_eq!(headers["spin-base-path"], "/paymentapprove");
    assert!(headers.get("x-hop").is_none(), "{headers}");
    // As the caller wrote it, so that Spin in the pod makes the same address of it.
    let host = app.functions().trim_start_matches("http://");
    assert_eq!(headers["host"], host);
    assert_eq!(
        headers["spin-full-url"],
        format!("http://{host}/echo?a=1&b=%20")
    );
}

#[tokio::test]
async fn answers_come_back_as_they_are() {
    let (_cluster, app) = start().await;
    let function = deployed(&app, &[]).await;
    assert_eq!(app.call("paymentapprove", "/status?418").await.status, 418);
    let answer = app.call("paymentapprove", "/cookies").await;
    assert_eq!(
        (answer.header("server"), answer.header("set-cookie")),
        ("pod", "")
    );
    assert_eq!(app.call("paymentapprove", "/status?503").await.status, 503);
    until("the failure is recorded", async || {
        status_codes(&app, &format!("{}/logs?status=error", function.path())).await == [503]
    })
    .await;
}

#[tokio::test]
async fn methods_timeout_size_and_whether_it_is_disabled_hold_at_the_gateway() {
    let (_cluster, app) = start().await;
    let function = deployed(&app, &[("timeout", json!(1))]).await;
    let refused = Answer::of(app.function_request(Method::DELETE, "paymentapprove", "/")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("allow")),
        (405, "GET")
    );
    assert_eq!(app.call("paymentapprove", "/slow?60000").await.status, 504);
    assert_eq!(
        app.call("paymentapprove", "/large?262144").await.status,
        200
    );
    let large = app.call("paymentapprove", "/large?262145").await;
    assert_eq!(large.status, 502, "{}", large.text());
    app.patch(&function.path(), &json!({"status": "disabled"}))
        .await
        .with_status(200);
    assert_eq!(app.call("paymentapprove", "/").await.status, 503);
    until("all but the refused are recorded", async || {
        status_codes(&app, &format!("{}/logs", function.path())).await == [502, 200, 504]
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_passed_on_while_it_is_written() {
    let (_cluster, app) = start().await;
    let function = deployed(&app, &[]).await;
    let whole = app.call("paymentapprove", "/stream?3").await;
    assert_eq!(whole.text(), "piece 0\npiece 1\npiece 2\n");
    // One that does not end while this waits for its beginning.
    let request = app.function_request(Method::GET, "paymentapprove", "/stream?100000");
    let mut answer = request.send().await.expect("it begins");
    let first = answer.chunk().await.expect("a piece").expect("not the end");
    assert_eq!(&first[..], b"piece 0\n");
    // Whoever leaves ends the call.
    drop(answer);
    until("both are recorded", async || {
        status_codes(&app, &format!("{}/logs", function.path()))
            .await
            .len()
            == 2
    })
    .await;
}

#[tokio::test]
async fn a_call_whose_caller_leaves_is_recorded_and_counted() {
    let (cluster, app) = start().await;
    let function = deployed(&app, &[("timeout", json!(900))]).await;
    let request = app.function_request(Method::GET, "paymentapprove", "/slow?900000");
    let caller = tokio::spawn(request.send());
    until("it is under way", async || cluster.world().slow_calls > 0).await;
    caller.abort();
    let logs = format!("{}/logs", function.path());
    until("it is recorded", async || {
        status_codes(&app, &logs).await == [499]
    })
    .await;
    let execution = app.get(&logs).await.with_status(200)["logs"][0].take();
    assert_eq!(
        (&execution["status"], &execution["level"]),
        (&json!("success"), &json!("warn"))
    );
    let counted = function.read(&app).await;
    assert_eq!(
        (&counted["invocations24h"], &counted["errors24h"]),
        (&json!(1), &json!(0))
    );
}

#[tokio::test]
async fn the_test_call_of_older_clients_reaches_the_cluster() {
    let (_cluster, app) = start().await;
    let function = deployed(&app, &[]).await;
    let path = format!("{}/invoke", function.path());
    let answer = app.post(&path, &json!({"a": 1})).await.with_status(200);
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(
        answer["responseBody"],
        "Hello from registry.example/faas:v1"
    );
    // Its own endpoint is no remote call; another service of the cluster is one that is allowed, the cluster's API is not.
    let set = async |url: &str| {
        app.patch(&function.path(), &json!({"invocationUrl": url}))
            .await
            .with_status(200)
    };
    set("paymentapprove.default.svc.cluster.local").await;
    assert_eq!(
        app.post(&path, &json!({})).await.with_status(200)["version"],
        answer["version"]
    );
    set("http://paymentapprove.default.svc.cluster.local/echo").await;
    let echoed = app.post(&path, &json!({})).await.with_status(200);
    assert_eq!(
        echoed["responseBody"]["headers"]["host"],
        "paymentapprove.default.svc.cluster.local"
    );
    for url in [
        "https://kubernetes.default.svc.cluster.local",
        "http://169.254.169.254/latest",
        "http://example.com",
    ] {
        set(url).await;
        assert_eq!(app.post(&path, &json!({})).await.status, 400, "{url}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_answered_with_a_scheme_has_one() {
    let (cluster, app) = start().await;
    let endpoint = "http://paymentapprove.default.svc.cluster.local";
    let answer = json!({"app_name": "paymentapprove", "namespace": "default", "endpoint": endpoint, "error": null});
    cluster.world().done_answer = Some((200, answer));
    let function = deployed(&app, &[]).await;
    let path = format!(
        "/workspaces/{}/functions/{}",
        function.workspace, function.id
    );
    let page = app.get(&path).await.text();
    assert!(page.contains(endpoint) && !page.contains("http://http://"));
    // Nothing answers by TLS there: it is the deployment that is called.
    let change = json!({"invocationUrl": "https://paymentapprove.default.svc.cluster.local/"});
    app.patch(&function.path(), &change).await.with_status(200);
    let path = format!("{}/invoke", function.path());
    let invoked = app.post(&path, &json!({})).await.with_status(200);
    assert_eq!(invoked["responseBody"], format!("Hello from {IMAGE}"));
}

#[tokio::test]
async fn a_function_of_the_first_system_is_invoked_where_that_deployed_it() {
    let (cluster, app) = start().await;
    let workspace = a_workspace().create(&app).await;
    let function = a_function()
        .named("old-shop")
        .create(&app, &workspace)
        .await;
    let path = format!("{}/invoke", function.path());
    app.post(&path, &json!({}))
        .await
        .refused(400, "NOT_DEPLOYED");
    let theirs =
        json!({"spec": {"image": "registry.example/old:v1", "podLabels": {"faas": "true"}}});
    let key = ("default".to_owned(), "oldshop".to_owned());
    cluster.world().spin_apps.insert(key, theirs);
    // As their client recorded it.
    let deployed = json!({"lastDeployed": "2025-12-07T12:00:00Z"});
    app.patch(&function.path(), &deployed)
        .await
        .with_status(200);
    let answer = app.post(&path, &json!({})).await.with_status(200);
    assert_eq!(answer["responseBody"], "Hello from registry.example/old:v1");
}
