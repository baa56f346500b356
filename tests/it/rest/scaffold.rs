//! SpinApp manifests.

use blue_faas::model::deployment::{AppName, DeployOptions, ImageRef, Namespace};
use blue_faas::model::function::Memory;
use blue_faas::model::id::FunctionId;
use blue_faas::service::deployments::{ScaffoldRequest, manifest};
use http::Method;
use serde_json::{Value, json};

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
    for (accept, expected) in [
        ("Application/YAML, */*;q=0.1", "application/yaml"),
        ("text/yaml", "application/yaml"),
        (
            "application/json, application/yaml;q=0.5",
            "application/json",
        ),
        ("application/yaml;q=0", "application/json"),
        ("application/not-yaml", "application/json"),
    ] {
        let request = app
            .request(Method::POST, "/api/v1/scaffold")
            .header("accept", accept)
            .json(&json!({"image_ref": "registry.example.com/team/hello:v1"}));
        let answer = Answer::of(request).await;
        assert_eq!(answer.header("content-type"), expected, "{accept}");
    }
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

/// Every option, alone and together.
fn many_options() -> Vec<DeployOptions> {
    let full = DeployOptions {
        enable_autoscaling: false,
        replicas: Some(3),
        use_spot: true,
        service_account: Some("faas".to_owned()),
        cpu_limit: Some("2".to_owned()),
        memory_limit: Some("128Mi".to_owned()),
        cpu_request: Some("250m".to_owned()),
        memory_request: Some("64Mi".to_owned()),
        custom_tolerations: Some(json!([{"key": "gpu", "operator": "Exists"}])),
        custom_affinity: Some(json!({"nodeAffinity": {}})),
    };
    let scaled = DeployOptions {
        enable_autoscaling: true,
        ..full.clone()
    };
    let default = DeployOptions::default();
    let small = default.for_memory(Memory::parse(128).expect("valid"));
    vec![full, scaled, default, small]
}

#[test]
fn a_cluster_takes_every_manifest() {
    let schema = include_str!("../../fixtures/spinapp.schema.json");
    let schema = serde_json::from_str(schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for options in many_options() {
        let options = options.checked().expect("valid");
        let scales = options.enable_autoscaling;
        let request = ScaffoldRequest {
            app_name: AppName::parse("hello").expect("valid"),
            namespace: Namespace::parse("team").expect("valid"),
            image_ref: ImageRef::parse("registry.example.com/team/hello:v1").expect("valid"),
            function_id: Some(FunctionId::parse("fn-1").expect("valid")),
            options,
        };
        let yaml = manifest(&request).expect("a manifest");
        let documents: Vec<Value> = yaml
            .split("---\n")
            .map(|document| serde_yaml_ng::from_str(document).expect("YAML"))
            .collect();
        let errors: Vec<String> = validator
            .iter_errors(&documents[0])
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:?}\n{yaml}");
        assert_eq!(documents.len(), 1 + usize::from(scales), "{yaml}");
        let resources = &documents[0]["spec"]["resources"];
        let mebibytes = |kind: &str| {
            let text = resources[kind]["memory"].as_str().expect("a text");
            text.trim_end_matches("Mi").parse::<u32>().expect("MiB")
        };
        assert!(mebibytes("requests") <= mebibytes("limits"), "{yaml}");
        if scales {
            let target = &documents[1]["spec"]["scaleTargetRef"];
            assert_eq!(target["name"], documents[0]["metadata"]["name"]);
        }
    }
    // The schema refuses what a cluster would drop in silence, or its operator refuses.
    for spec in [
        json!({"image": "a", "executor": "x", "replicas": 1, "tolerations": []}),
        json!({"image": "a", "executor": "x", "replicas": 1, "enableAutoscaling": true}),
        json!({"image": "a", "executor": "x"}),
        json!({"image": "a", "replicas": 1}),
    ] {
        let app = json!({"apiVersion": "core.spinkube.dev/v1alpha1", "kind": "SpinApp", "metadata": {"name": "a"}, "spec": spec});
        assert!(!validator.is_valid(&app), "{app}");
    }
}
