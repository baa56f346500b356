//! Functions that are memory images of a base: copied into each instance, or mapped where they are large.

use bytes::Bytes;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::native::failed;
use super::runner::{BaseProgram, Program, Runner};
use crate::adapter::snapshot::{BaseError, BaseKey, Bases, Image, PreparedBase, Restorer};
use crate::model::version::Artifact;
use crate::port::blobs::{BlobError, Blobs};
use crate::port::platform::PlatformError;

/// Bytes of an image up to which it is copied into each instance. A page written costs a microsecond: beyond this, it costs less to
/// map a memory of the function's own, which takes 30 MB of disk.
const MAX_RESTORED: usize = 384 * 1024;

pub(super) struct BaseFunctions {
    pub bases: Arc<Bases>,
    blobs: Arc<dyn Blobs>,
    /// Loaded bases. They stay: there is one, and another after an upgrade.
    programs: tokio::sync::Mutex<HashMap<BaseKey, BaseProgram>>,
}

impl BaseFunctions {
    pub fn new(bases: Arc<Bases>, blobs: Arc<dyn Blobs>) -> Self {
        Self {
            bases,
            blobs,
            programs: tokio::sync::Mutex::default(),
        }
    }

    /// Prepares the base that the artifact needs, unless that was done.
    pub async fn prepare(&self, artifact: &Artifact) -> Result<(), PlatformError> {
        let image = self.image(artifact).await?;
        let base = self.base(&image).await?;
        if image.size() > MAX_RESTORED {
            self.memory(artifact, image, base).await?;
        }
        Ok(())
    }

    pub async fn load(
        &self,
        artifact: &Artifact,
        runner: &Arc<Runner>,
    ) -> Result<Program, PlatformError> {
        let image = self.image(artifact).await?;
        let base = self.base(&image).await?;
        let program = self.program(&base, runner).await?;
        if image.size() <= MAX_RESTORED {
            let restorer = Restorer::new(&base, &image).map_err(|error| unrunnable(&error))?;
            return Ok(Runner::restored(&program, restorer));
        }
        let file = self.memory(artifact, image, base).await?;
        let runner = runner.clone();
        tokio::task::spawn_blocking(move || runner.mapped(&program, &file))
            .await
            .map_err(failed)?
            .map_err(|error| unrunnable(&error))
    }

    /// A program that is no artifact: nothing of it is written anywhere.
    pub async fn load_encoded(
        &self,
        image: Bytes,
        runner: &Arc<Runner>,
    ) -> Result<Program, PlatformError> {
        let image = decode(image).await?;
        let base = self.base(&image).await?;
        let program = self.program(&base, runner).await?;
        let restorer = Restorer::new(&base, &image).map_err(|error| unrunnable(&error))?;
        Ok(Runner::restored(&program, restorer))
    }

    async fn memory(
        &self,
        artifact: &Artifact,
        image: Image,
        base: Arc<PreparedBase>,
    ) -> Result<PathBuf, PlatformError> {
        let (bases, sha256) = (self.bases.clone(), artifact.sha256.clone());
        tokio::task::spawn_blocking(move || bases.memory(&base, &image, &sha256))
            .await
            .map_err(failed)?
            .map_err(failed)
    }

    async fn image(&self, artifact: &Artifact) -> Result<Image, PlatformError> {
        let damaged = || unrunnable(&"it is damaged. Build the function again.");
        let bytes = self.blobs.get(&artifact.key, Some(&artifact.sha256)).await;
        let bytes = bytes.map_err(|error| match error {
            BlobError::Missing(_) => {
                unrunnable(&"it is no longer stored. Build the function again.")
            }
            BlobError::Damaged(_) => damaged(),
            other => failed(other),
        })?;
        decode(bytes).await
    }

    async fn base(&self, image: &Image) -> Result<Arc<PreparedBase>, PlatformError> {
        self.bases
            .get(&image.base)
            .await
            .map_err(|error| match error {
                BaseError::Missing => unrunnable(&error),
                BaseError::Failed(error) => failed(error),
            })
    }

    async fn program(
        &self,
        base: &Arc<PreparedBase>,
        runner: &Arc<Runner>,
    ) -> Result<BaseProgram, PlatformError> {
        let mut programs = self.programs.lock().await;
        if let Some(program) = programs.get(&base.key) {
            return Ok(program.clone());
        }
        let (found, runner) = (base.clone(), runner.clone());
        let load = move || runner.load_base(&found);
        let program = tokio::task::spawn_blocking(load).await.map_err(failed)?;
        let program = program.map_err(|error| unrunnable(&error))?;
        programs.insert(base.key, program.clone());
        Ok(program)
    }
}

async fn decode(bytes: Bytes) -> Result<Image, PlatformError> {
    let decode = move || Image::decode(&bytes);
    let decoded = tokio::task::spawn_blocking(decode).await.map_err(failed)?;
    decoded.map_err(|error| unrunnable(&error))
}

fn unrunnable(error: &dyn std::fmt::Display) -> PlatformError {
    PlatformError::Unrunnable(format!("The artifact cannot be run: {error}"))
}
