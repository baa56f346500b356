//! Artifacts as components that run wherever Spin does, made when somebody wants them.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::ComponentizeBuilder;
use crate::adapter::snapshot::{Base, Image};
use crate::adapter::source::tree::hex;
use crate::model::version::Artifact;
use crate::port::blobs::BlobError;
use crate::port::builder::BuildError;

impl ComponentizeBuilder {
    /// The artifact itself where it is a component; else one made of its image, kept beside it. The same image gives the same component.
    pub(super) async fn as_component(&self, artifact: &Artifact) -> Result<Artifact, BuildError> {
        if !artifact.is_image() {
            return Ok(artifact.clone());
        }
        let key = artifact.portable_key();
        let component = match self.blobs.get(&key, None).await {
            Ok(component) => component,
            Err(BlobError::Missing(_)) => {
                let component = self.make_portable(artifact).await?;
                let stored = self.blobs.put(&key, component.clone(), None).await;
                stored.map_err(|error| {
                    BuildError::Failed(format!("the component could not be stored: {error}"))
                })?;
                component
            }
            Err(error) => return Err(unreadable(&error)),
        };
        let measure = move || (hex(&Sha256::digest(&component)), component.len() as u64);
        let measured = tokio::task::spawn_blocking(measure).await;
        let (sha256, size) = measured.map_err(|error| BuildError::Failed(error.to_string()))?;
        Ok(Artifact { key, sha256, size })
    }

    async fn make_portable(&self, artifact: &Artifact) -> Result<Bytes, BuildError> {
        let image = self.blobs.get(&artifact.key, Some(&artifact.sha256)).await;
        let image = image.map_err(|error| unreadable(&error))?;
        let image = Image::decode(&image).map_err(|error| unreadable(&error))?;
        let base = self.bases.component(&image.base).await;
        let base = base.map_err(|error| unreadable(&error))?;
        let assemble = move || {
            let base = Base::read(&base)?;
            let memory = image.apply(&base.memory)?;
            Ok(Bytes::from(base.portable(&memory)))
        };
        let component = tokio::task::spawn_blocking(assemble).await;
        let component = component.map_err(|error| BuildError::Failed(error.to_string()))?;
        component.map_err(|error: crate::adapter::snapshot::Refused| unreadable(&error))
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> BuildError {
    BuildError::Failed(format!("the artifact could not be read: {error}"))
}
