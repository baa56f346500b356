//! Functions that are memory images of a base: copied into each instance, or mapped where they are large.

use bytes::Bytes;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::native::failed;
use super::pool::{BaseProgram, Loadable, Pool, Program};
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
    /// Numbers of bases. They stay: there is one, and another after an upgrade.
    programs: Mutex<HashMap<BaseKey, BaseProgram>>,
}

impl BaseFunctions {
    pub fn new(bases: Arc<Bases>, blobs: Arc<dyn Blobs>) -> Self {
        Self {
            bases,
            blobs,
            programs: Mutex::default(),
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

    pub async fn load(&self, artifact: &Artifact, pool: &Pool) -> Result<Program, PlatformError> {
        let image = self.image(artifact).await?;
        let prepared = self.base(&image).await?;
        let base = self.program(&prepared, pool);
        if image.size() <= MAX_RESTORED {
            return restored(pool, base, &prepared, &image);
        }
        let native = self.memory(artifact, image, prepared).await?;
        Ok(pool.program(Loadable::Memory { base, native }))
    }

    /// A program that is no artifact: nothing of it is written anywhere.
    pub async fn load_encoded(&self, image: Bytes, pool: &Pool) -> Result<Program, PlatformError> {
        let image = decode(image).await?;
        let prepared = self.base(&image).await?;
        let base = self.program(&prepared, pool);
        restored(pool, base, &prepared, &image)
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

    fn program(&self, base: &PreparedBase, pool: &Pool) -> BaseProgram {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let program = programs.entry(base.key);
        program
            .or_insert_with(|| pool.base(base.folder().to_owned()))
            .clone()
    }
}

fn restored(
    pool: &Pool,
    base: BaseProgram,
    prepared: &PreparedBase,
    image: &Image,
) -> Result<Program, PlatformError> {
    let restorer = Restorer::new(prepared, image).map_err(|error| unrunnable(&error))?;
    Ok(pool.program(Loadable::Image { base, restorer }))
}

async fn decode(bytes: Bytes) -> Result<Image, PlatformError> {
    let decode = move || Image::decode(&bytes);
    let decoded = tokio::task::spawn_blocking(decode).await.map_err(failed)?;
    decoded.map_err(|error| unrunnable(&error))
}

fn unrunnable(error: &dyn std::fmt::Display) -> PlatformError {
    PlatformError::Unrunnable(format!("The artifact cannot be run: {error}"))
}
