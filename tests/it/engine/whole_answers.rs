//! What `/invoke`, `/test` and `/draft` answer: all of what the function did, of which the record keeps a preview.

use http::Method;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace, base64, text};

use super::journey::{BUILD_TIMEOUT, build_and_push, has_ended, task_when};

const PREVIEW: usize = 64 * 1024;
/// Answers `size` bytes, as JSON or as text.
const SIZED: &str = r#"import json
from urllib.parse import parse_qs, urlsplit

from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        query = parse_qs(urlsplit(request.uri).query)
        if request.body and request.body.startswith(b'{"size"'):
            query["size"] = [json.loads(request.body)["size"]]
        size = int(query.get("size", [0])[0])
        if "text" in query:
            return Response(200, {"content-type": "text/plain"}, b"t" * size)
        answer = '{"z": 1.10, "large": 18446744073709551616, "a": "%s"}' % ("j" * size)
        return Response(200, {"content-type": "application/json"}, answer.encode())
"#;

async fn call(app: &TestApp, function: &Function, operation: &str, body: &Value) -> Answer {
    app.post(&format!("{}/{operation}", function.path()), body)
        .await
}

/// The newest execution as it is kept.
async fn kept(app: &TestApp, function: &Function) -> Value {
    let path = format!("{}/logs?limit=1", function.path());
    app.get(&path).await.with_status(200)["logs"][0].take()
}

#[tokio::test]
async fn a_long_answer_comes_whole_and_a_preview_is_kept() {
    let app = TestApp::start_for_builds();
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let task = build_and_push(&app, &function, SIZED).await;
    let built = task_when(&app, &task, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(built["status"], "done", "{built}");
    let image = text(&built["result"], "image_url");
    let deployment = json!({"app_name": "sized", "namespace": "default", "image_ref": image, "function_id": function.id});
    let deployed = app.post("/api/v1/deploy", &deployment).await;
    deployed.with_status(200);

    // JSON, of 5 MiB: above what the store keeps of it, below what a function may answer.
    let size = 5 << 20;
    let answer = call(&app, &function, "invoke", &json!({"size": size})).await;
    assert!(
        answer
            .text()
            .contains(r#"{"z": 1.10, "large": 18446744073709551616, "#),
        "as the function wrote it"
    );
    let invoked = answer.with_status(200);
    let length = |value: &Value| value.as_str().map(str::len);
    assert_eq!(length(&invoked["responseBody"]["a"]), Some(size));
    assert_eq!(invoked.get("truncated"), None);
    let record = kept(&app, &function).await;
    assert_eq!(record["id"], invoked["id"]);
    assert_eq!(length(&record["responseBody"]), Some(PREVIEW));
    assert_eq!(record["truncated"], true);
    assert_eq!(record["responseSize"], invoked["responseSize"]);

    // Text.
    let request = json!({"query": format!("text=1&size={size}")});
    let tested = call(&app, &function, "test", &request)
        .await
        .with_status(200);
    assert_eq!(length(&tested["responseBody"]), Some(size));
    assert_eq!(tested.get("truncated"), None);
    let draft = json!({"code": base64(SIZED), "request": request});
    let ran = call(&app, &function, "draft", &draft)
        .await
        .with_status(200);
    assert_eq!(length(&ran["responseBody"]), Some(size));

    // A long request is a preview in its answer too, which is marked.
    let request = json!({"method": "POST", "body": "r".repeat(PREVIEW + 1)});
    let tested = call(&app, &function, "test", &request)
        .await
        .with_status(200);
    assert_eq!(length(&tested["requestBody"]), Some(PREVIEW));
    assert_eq!(
        (&tested["truncated"], &tested["responseBody"]["a"]),
        (&json!(true), &json!(""))
    );

    // With a key the same answer comes again, and nothing runs.
    let before = kept(&app, &function).await;
    let keyed = async || {
        let path = format!("{}/invoke", function.path());
        let request = app.request(Method::POST, &path);
        let request = request.header("idempotency-key", "sized");
        Answer::of(request.json(&json!({"size": size}))).await
    };
    let (first, again) = (keyed().await, keyed().await);
    assert_eq!(first.status, 200);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert!(first.body == again.body, "to the byte");
    let after = kept(&app, &function).await;
    assert_ne!(before["id"], after["id"]);
    assert_eq!(after["id"], first.json()["id"]);
}
