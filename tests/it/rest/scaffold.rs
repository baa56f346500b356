//! SpinApp manifests.

use http::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::TestApp;

const MANIFEST: &str = "\
apiVersion: core.spinkube.dev/v1alpha1
kind: SpinApp
metadata:
  name: hello
  namespace: default
spec:
  enableAutoscaling: false
  executor: containerd-shim-spin
  image: registry.example.com/team/hello:v1
  podLabels:
    faas: 'true'
  replicas: 1
  resources:
    limits:
      cpu: 500m
      memory: 500Mi
    requests:
      cpu: 100m
      memory: 400Mi
";

#[tokio::test]
async fn a_manifest_names_the_app_after_its_image() {
    let app = TestApp::start();
    let image = json!({"image_ref": "registry.example.com/team/hello:v1"});
    let answer = app.post("/api/v1/scaffold", &image).await.with_status(200);
    assert_eq!(
        answer,
        json!({"success": true, "yaml_content": MANIFEST, "file_path": null, "error": null})
    );
    let own = json!({"image_ref": "registry.example.com/team/hello:v1", "component": "Payment Approve", "replicas": 3});
    let answer = app.post("/api/v1/scaffold", &own).await.with_status(200);
    let expected = MANIFEST
        .replace("name: hello", "name: payment-approve")
        .replace("replicas: 1", "replicas: 3");
    assert_eq!(answer["yaml_content"], expected);
}

#[tokio::test]
async fn yaml_is_answered_where_yaml_is_asked_for() {
    let app = TestApp::start();
    let request = app
        .request(Method::POST, "/api/v1/scaffold")
        .header("accept", "application/yaml")
        .json(&json!({"image_ref": "registry.example.com/team/hello:v1"}));
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/yaml");
    assert_eq!(answer.text(), MANIFEST);
}

#[tokio::test]
async fn the_output_path_is_accepted_and_never_written() {
    let app = TestApp::start();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.yaml");
    let request = json!({"image_ref": "registry.example.com/team/hello:v1", "output_path": path});
    let answer = app
        .post("/api/v1/scaffold", &request)
        .await
        .with_status(200);
    assert_eq!(answer["success"], true);
    assert_eq!(answer["file_path"], json!(null));
    assert!(!path.exists());
}

#[tokio::test]
async fn what_a_manifest_cannot_hold_is_refused() {
    let app = TestApp::start();
    for (body, field) in [
        (json!({}), "image_ref"),
        (json!({"image_ref": "a b"}), "image_ref"),
        (json!({"image_ref": "a/b:c\n  injected: true"}), "image_ref"),
        (
            json!({"image_ref": "a/b:c", "component": "결제"}),
            "component",
        ),
        (json!({"image_ref": "a/b:c", "replicas": 0}), "replicas"),
        (json!({"image_ref": "a/b:c", "replicas": "2"}), "replicas"),
        (
            json!({"image_ref": "a/b:c", "output_path": 7}),
            "output_path",
        ),
    ] {
        let refused = app.post("/api/v1/scaffold", &body).await;
        assert_eq!(refused.refused_field(), field, "{body}");
    }
}
