//! The stage `build` without compiling: the source is imported into the base, and its memory kept.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

use super::base::BaseMaker;
use super::build::Build;
use super::componentize::{self, Artifact};
use super::failure;
use super::workdir::guest_files;
use crate::adapter::snapshot::{Captured, MAX_FILES, Source, Uncaptured};
use crate::adapter::source::diagnose::Findings;
use crate::adapter::source::shim::{module, shim};
use crate::model::task::StageName;
use crate::port::builder::BuildError;

impl Build<'_> {
    /// The function's image; or, in words that follow "because", why this source is not built this way.
    pub(super) async fn snapshot(
        &self,
        maker: &Arc<BaseMaker>,
        findings: &Findings,
        cancel: &CancellationToken,
    ) -> Result<Result<Artifact, String>, BuildError> {
        let waiting = || {
            self.progress.line(
                StageName::Build,
                "Preparing the Python runtime, once for this machine",
            );
        };
        let base = match cancel.run_until_cancelled(maker.base(waiting)).await {
            None => return Err(BuildError::Cancelled),
            Some(Err(reason)) => return Ok(Err(reason)),
            Some(Ok(base)) => base,
        };
        let started = Instant::now();
        let source = match self.gather(findings).await? {
            Ok(source) => source,
            Err(reason) => return Ok(Err(reason)),
        };
        let (deadline, stop) = (self.deadline, cancel.clone());
        let capture = move || {
            base.capturer
                .capture(&base.prepared, &source, deadline, &stop)
        };
        let Captured { result, output } = tokio::task::spawn_blocking(capture)
            .await
            .map_err(|error| BuildError::Failed(error.to_string()))?;
        for line in failure::printed(&output) {
            self.progress.line(StageName::Build, &line);
        }
        let image = match result {
            Ok(image) => image,
            // What a package does while it loads may need what only the stock way has: files, metadata.
            Err(Uncaptured::Source(_) | Uncaptured::Crashed(_))
                if !self.tree.requirements.is_empty() =>
            {
                return Ok(Err("its packages cannot be loaded from memory".to_owned()));
            }
            Err(uncaptured) => return self.explain(uncaptured),
        };
        let artifact = self.store(&image.encode()).await?;
        self.progress.line(
            StageName::Build,
            &format!(
                "Took a snapshot of {:.0} KB in {:.2} s",
                artifact.size as f64 / 1e3,
                started.elapsed().as_secs_f64()
            ),
        );
        Ok(Ok(artifact))
    }

    fn explain(&self, uncaptured: Uncaptured) -> Result<Result<Artifact, String>, BuildError> {
        match uncaptured {
            Uncaptured::Source(text) => {
                for line in failure::printed(&text) {
                    self.progress.line(StageName::Build, &line);
                }
                Err(failure::interpret_traceback(&text, &self.tree.files))
            }
            Uncaptured::Crashed(text) => Err(failure::crashed(text, &self.tree.files)),
            Uncaptured::Limit(text) => Err(BuildError::LimitReached(text)),
            Uncaptured::Cancelled => Err(BuildError::Cancelled),
            Uncaptured::Unsuited(reason) => Ok(Err(reason)),
            Uncaptured::Failed(reason) => {
                tracing::warn!(%reason, "a source could not be captured");
                Ok(Err(reason))
            }
        }
    }

    async fn gather(&self, findings: &Findings) -> Result<Result<Source, String>, BuildError> {
        let mut files: BTreeMap<String, Bytes> = guest_files(&self.tree.files)
            .map(|(path, content)| (format!("/0/{path}"), content.clone()))
            .collect();
        if let Some(entry) = files.get_mut(&format!("/0/{}", self.tree.entry)) {
            *entry = [entry, shim(findings).as_bytes()].concat().into();
        }
        let vendor = self.room.vendor();
        let packages = move || {
            let mut found = Packages::default();
            found.read(&vendor, "/1").map(|()| found)
        };
        let packages = tokio::task::spawn_blocking(packages).await;
        let packages = packages.map_err(|error| BuildError::Failed(error.to_string()))?;
        let packages = packages.map_err(|error| BuildError::Failed(error.to_string()))?;
        if let Some(reason) = packages.unsuited {
            return Ok(Err(reason));
        }
        files.extend(packages.files);
        Ok(Ok(Source {
            entry: module(&self.tree.entry),
            files,
            folders: vec![
                (self.room.src(), "/0".to_owned()),
                (self.room.vendor(), "/1".to_owned()),
            ],
        }))
    }

    async fn store(&self, image: &[u8]) -> Result<Artifact, BuildError> {
        let path = self.room.out().join("app.image");
        let (bytes, file) = (image.to_vec(), path.clone());
        let write = move || fs::write(&file, bytes).and_then(|()| componentize::measure(file));
        tokio::task::spawn_blocking(write)
            .await
            .map_err(|error| BuildError::Failed(error.to_string()))?
            .map_err(|error| BuildError::Failed(format!("the image could not be written: {error}")))
    }
}

/// Installed packages as files.
#[derive(Default)]
struct Packages {
    files: BTreeMap<String, Bytes>,
    size: usize,
    unsuited: Option<String>,
}

impl Packages {
    fn read(&mut self, folder: &Path, inside: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, entry.file_name());
            let name = name.to_string_lossy();
            let path = format!("{inside}/{name}");
            if kind.is_dir() && name != "__pycache__" && name != "bin" {
                self.read(&entry.path(), &path)?;
            } else if kind.is_file() {
                self.size += usize::try_from(entry.metadata()?.len()).unwrap_or(usize::MAX);
                if self.size > MAX_FILES {
                    self.unsuited = Some("its packages are too large".to_owned());
                    return Ok(());
                }
                self.files.insert(path, fs::read(entry.path())?.into());
            }
            if self.unsuited.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Packages;
    use std::fs;

    #[test]
    fn packages_are_read_as_the_guest_sees_them_and_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("idna");
        fs::create_dir_all(inside.join("__pycache__")).expect("made");
        fs::write(inside.join("core.py"), "x = 1\n").expect("written");
        fs::write(inside.join("__pycache__/core.pyc"), "no").expect("written");
        let mut packages = Packages::default();
        packages.read(folder.path(), "/1").expect("read");
        let paths: Vec<_> = packages.files.keys().map(String::as_str).collect();
        assert_eq!(paths, ["/1/idna/core.py"]);
        assert_eq!(packages.unsuited, None);

        let large = fs::File::create(inside.join("table.bin")).expect("made");
        large.set_len(super::MAX_FILES as u64).expect("sized");
        let mut packages = Packages::default();
        packages.read(folder.path(), "/1").expect("read");
        assert_eq!(
            packages.unsuited.as_deref(),
            Some("its packages are too large")
        );
    }
}
