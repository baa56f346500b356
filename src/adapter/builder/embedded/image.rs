//! The OCI image of an artifact, in Spin's layout: the component, and the locked app that says how it is triggered.

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::adapter::source::tree::hex;
use crate::model::deployment::AppName;
use crate::model::version::Artifact;
use crate::port::blobs::{BlobError, Blobs};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const COMPONENT: &str = "application/vnd.wasm.content.layer.v1+wasm";
const LOCKED_APP: &str = "application/vnd.fermyon.spin.application.v1+config";

/// A small part of an image, with its digest.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) content: Bytes,
    /// `sha256:` and hexadecimal digits.
    pub(super) digest: String,
}

impl Part {
    fn new(value: &Value) -> Self {
        let content = Bytes::from(value.to_string());
        let digest = format!("sha256:{}", hex(&Sha256::digest(&content)));
        Self { content, digest }
    }

    fn descriptor(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": self.digest, "size": self.content.len() })
    }

    fn hex(&self) -> &str {
        self.digest.trim_start_matches("sha256:")
    }
}

/// All of an image but the component, which the blobs hold already.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) locked_app: Part,
    pub(super) config: Part,
    pub(super) manifest: Part,
    pub(super) component_digest: String,
}

impl Image {
    pub(super) fn new(app: &AppName, artifact: &Artifact) -> Self {
        let component_digest = format!("sha256:{}", artifact.sha256);
        let locked_app = Part::new(&locked_app(app, &component_digest));
        let config = Part::new(&json!({
            "architecture": "wasm",
            "os": "wasip1",
            "config": {},
            "rootfs": { "type": "layers", "diff_ids": [component_digest, locked_app.digest] },
        }));
        let component =
            json!({ "mediaType": COMPONENT, "digest": component_digest, "size": artifact.size });
        let manifest = Part::new(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor(CONFIG),
            "layers": [component, locked_app.descriptor(LOCKED_APP)],
        }));
        Self {
            locked_app,
            config,
            manifest,
            component_digest,
        }
    }

    /// Writes the image into the blobs as an OCI layout below `images/{hash of the manifest}/`. The component's layer is the artifact itself:
    /// the index names its key instead of holding it twice. Doing it again gives the same.
    pub(super) async fn store(
        &self,
        blobs: &dyn Blobs,
        image_ref: &str,
        artifact: &Artifact,
    ) -> Result<(), BlobError> {
        let root = format!("images/{}", self.manifest.hex());
        let mut named = self.manifest.descriptor(MANIFEST);
        named["annotations"] = json!({ "org.opencontainers.image.ref.name": image_ref, "blue-faas.artifact": artifact.key });
        let index =
            Part::new(&json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [named] }));
        for part in [&self.locked_app, &self.config, &self.manifest] {
            blobs
                .put(
                    &format!("{root}/blobs/sha256/{}", part.hex()),
                    part.content.clone(),
                    Some(part.hex()),
                )
                .await?;
        }
        blobs
            .put(
                &format!("{root}/oci-layout"),
                Bytes::from_static(br#"{"imageLayoutVersion":"1.0.0"}"#),
                None,
            )
            .await?;
        // The index last: where it is, the image is whole.
        blobs
            .put(&format!("{root}/index.json"), index.content, None)
            .await
    }
}

/// One component behind every path.
fn locked_app(app: &AppName, component_digest: &str) -> Value {
    json!({
        "spin_lock_version": 1,
        "metadata": { "name": app.as_str() },
        "triggers": [{
            "id": format!("trigger--{app}"),
            "trigger_type": "http",
            "trigger_config": { "component": app.as_str(), "route": "/..." },
        }],
        "components": [{
            "id": app.as_str(),
            "source": { "content_type": "application/wasm", "digest": component_digest },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::Image;
    use crate::model::deployment::AppName;
    use crate::model::version::Artifact;
    use serde_json::Value;

    #[test]
    fn the_manifest_names_the_component_and_the_locked_app() {
        let artifact = Artifact {
            key: "build-artifacts/t/a.wasm".to_owned(),
            sha256: "ab".repeat(32),
            size: 37,
        };
        let image = Image::new(&AppName::parse("shop").expect("a name"), &artifact);
        let manifest: Value = serde_json::from_slice(&image.manifest.content).expect("JSON");
        assert_eq!(
            manifest["layers"][0]["digest"],
            format!("sha256:{}", "ab".repeat(32))
        );
        assert_eq!(manifest["layers"][0]["size"], 37);
        assert_eq!(manifest["layers"][1]["digest"], image.locked_app.digest);
        assert_eq!(manifest["config"]["digest"], image.config.digest);
        let app: Value = serde_json::from_slice(&image.locked_app.content).expect("JSON");
        assert_eq!(
            app["components"][0]["source"]["digest"],
            image.component_digest
        );
        assert_eq!(app["triggers"][0]["trigger_config"]["route"], "/...");
    }
}
