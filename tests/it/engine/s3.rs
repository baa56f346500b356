//! Objects in S3: what a server keeps there, and that another machine needs nothing else.

use serde_json::json;

use super::journey::{BUILD_TIMEOUT, has_ended, task_when};
use crate::support::app::{TestApp, run};
use crate::support::builders::{a_function, a_workspace, base64, text};
use crate::support::s3::S3Server;

const GREETING: &str = r#"from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response

class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {"content-type": "text/plain"}, bytes("from the bucket", "utf-8"))
"#;

#[tokio::test]
async fn a_function_is_built_into_a_bucket_served_from_it_and_deleted_from_it() {
    let s3 = S3Server::start();
    let mut app = TestApp::start_for_builds_with(s3.settings());
    let workspace = a_workspace().create(&app).await;
    // Above what an item takes.
    let code = format!("{GREETING}\n# {}\n", "x".repeat(40_000));
    let function = a_function().with_code(&code).create(&app, &workspace).await;
    assert_eq!(
        s3.seen("PUT", &format!("/code/{}/{}/", workspace.id, function.id)),
        1
    );
    let read = function.read(&app).await;
    assert_eq!(read["code"], base64(&code));

    let accepted = app
        .upload(
            http::Method::POST,
            "/api/v1/build-and-push",
            ("app.py", code.as_str()),
            &[
                ("workspace_id", workspace.id.as_str()),
                ("function_id", function.id.as_str()),
                ("app_name", "from-s3"),
                ("registry_url", "registry.example.com/team/from-s3"),
            ],
        )
        .await
        .with_status(202);
    let task = text(&accepted, "task_id");
    let built = task_when(&app, &task, BUILD_TIMEOUT, has_ended).await;
    assert_eq!(built["status"], "done", "{built}");
    let source = text(&accepted, "source_s3_path");
    assert_eq!(
        source,
        format!(
            "s3://functions/build-sources/{}/{task}/app.py",
            workspace.id
        )
    );
    let deployment = json!({
        "app_name": "from-s3",
        "namespace": "default",
        "image_ref": built["result"]["image_url"],
        "function_id": function.id,
    });
    app.post("/api/v1/deploy", &deployment)
        .await
        .with_status(200);
    assert_eq!(app.call("from-s3", "/").await.text(), "from the bucket");

    app.kill();
    app.start_again();
    assert_eq!(app.call("from-s3", "/").await.text(), "from the bucket");

    app.delete(&workspace.path()).await.with_status(204);
    for folder in ["code/", "build-sources/"] {
        assert_eq!(s3.keys(folder).await, [""; 0], "{folder}");
    }
    // Another function may share them: they wait for the next collection.
    assert_eq!(s3.keys("build-artifacts/").await.len(), 1);
}

#[tokio::test]
async fn a_server_without_its_bucket_does_not_start_and_says_why() {
    let s3 = S3Server::start();
    let mut settings = s3.settings().to_vec();
    settings.push(("S3_BUCKET_NAME", "nowhere"));
    let data = tempfile::tempdir().expect("a folder");
    let ended = run(&[], data.path(), settings.leak());
    assert!(!ended.success);
    assert_eq!(
        ended.stderr,
        "blue-faas: S3_BUCKET_NAME: the blob store failed: there is no bucket nowhere: create it, or set S3_BUCKET_NAME\n"
    );
}
