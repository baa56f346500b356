//! The stages `validate` and `build` of one build.

use bytes::Bytes;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use super::base::BaseMaker;
use super::child::Limits;
use super::componentize::{self, Artifact};
use super::requirements::Installer;
use super::workdir::{Room, guest_files, write_files};
use super::{ComponentizeConfig, mypy};
use crate::adapter::source::diagnose::{Findings, check_tree};
use crate::adapter::source::imports::Surroundings;
use crate::adapter::source::{self, refuse_errors};
use crate::model::task::StageName;
use crate::port::builder::{BuildError, Progress, SourceTree};

/// Resident memory of a build at most: four times what a small one needs. A limit on address space would stop every one.
const MEMORY: u64 = 1536 * 1024 * 1024;
const OUTPUT: usize = 1024 * 1024;
const TYPE_CHECK: Duration = Duration::from_mins(1);
const INSTALL: Duration = Duration::from_mins(3);
const TOP_LEVEL: &str = "Top-level code runs during the build: move loops, waiting, output and large values into handle_request.";
/// What the toolchain itself unpacks and writes beside the source: bytes and files.
const OWN_DISK: (u64, usize) = (384 * 1024 * 1024, 10_000);

pub(super) struct Build<'a> {
    pub(super) config: &'a ComponentizeConfig,
    pub(super) tree: &'a SourceTree,
    pub(super) room: &'a Room,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a CancellationToken,
    pub(super) deadline: Instant,
    /// Where functions are snapshots of a base.
    pub(super) maker: Option<&'a Arc<BaseMaker>>,
}

impl Build<'_> {
    pub(super) async fn run(&self) -> Result<Artifact, BuildError> {
        self.progress.stage(StageName::Validate);
        let surroundings = Surroundings::of_tree(self.tree);
        let findings = self.quick_checks(&surroundings).await?;
        self.prepare().await?;
        // Both at once: the type check takes a fraction of the time, and its failure ends the other.
        let stop = self.cancel.child_token();
        let checked = async {
            let result = self.check_types().await;
            match &result {
                Ok(()) => self.progress.stage(StageName::Build),
                Err(_) => stop.cancel(),
            }
            result
        };
        let (checked, made) = tokio::join!(checked, self.make(surroundings, findings, &stop));
        if self.cancel.is_cancelled() {
            return Err(BuildError::Cancelled);
        }
        checked?;
        made
    }

    /// The image of a source that may still change: without the type check, which takes longer than all the rest.
    pub(super) async fn draft(&self) -> Result<Bytes, BuildError> {
        let impossible = |reason: &str| BuildError::Source {
            message: format!("This cannot be run as a draft, because {reason}. Deploy it instead."),
            diagnostics: Vec::new(),
        };
        let Some(maker) = self.maker else {
            return Err(impossible("this server builds with componentize-py"));
        };
        let surroundings = Surroundings::of_tree(self.tree);
        let findings = self.quick_checks(&surroundings).await?;
        let (files, src) = (self.tree.files.clone(), self.room.src());
        tokio::task::spawn_blocking(move || write_files(&src, guest_files(&files)))
            .await
            .map_err(|error| BuildError::Failed(error.to_string()))?
            .map_err(|error| BuildError::Failed(error.to_string()))?;
        let findings = self
            .with_requirements(surroundings, findings, self.cancel)
            .await?;
        let image = self.snapshot(maker, &findings, self.cancel).await?;
        let image = image.map_err(|reason| impossible(&reason))?;
        let image = tokio::fs::read(&image.path).await;
        image
            .map(Bytes::from)
            .map_err(|error| BuildError::Failed(error.to_string()))
    }

    async fn quick_checks(&self, surroundings: &Surroundings) -> Result<Findings, BuildError> {
        source::check(self.tree, surroundings, self.progress).await
    }

    /// Lays out the room: the source twice, since the guest may write to its own, and a copy of the SDK.
    async fn prepare(&self) -> Result<(), BuildError> {
        let (files, venv) = (self.tree.files.clone(), self.config.venv.clone());
        let (src, check) = (self.room.src(), self.room.check());
        let packages = self.room.packages();
        tokio::task::spawn_blocking(move || {
            write_files(&src, guest_files(&files))?;
            write_files(&check, files.iter().filter(|(path, _)| is_checked(path)))?;
            std::fs::create_dir_all(&packages)?;
            componentize::copy_sdk(&venv, &packages)
        })
        .await
        .map_err(|error| BuildError::Failed(error.to_string()))?
        .map_err(|error| {
            BuildError::Failed(format!("the build's folder could not be prepared: {error}"))
        })
    }

    async fn check_types(&self) -> Result<(), BuildError> {
        let started = Instant::now();
        let limits = self.limits(
            "The type check",
            "Split the module into smaller ones.",
            TYPE_CHECK,
        );
        mypy::check(
            &self.config.venv,
            &self.mypy_cache(),
            self.tree,
            self.room,
            limits,
            self.progress,
            self.cancel,
        )
        .await?;
        self.progress.line(
            StageName::Validate,
            &format!("Types are sound ({:.1} s)", started.elapsed().as_secs_f64()),
        );
        Ok(())
    }

    async fn make(
        &self,
        surroundings: Surroundings,
        findings: Findings,
        cancel: &CancellationToken,
    ) -> Result<Artifact, BuildError> {
        let findings = self
            .with_requirements(surroundings, findings, cancel)
            .await?;
        let entry = self.room.src().join(&self.tree.entry);
        componentize::append_shim(&entry, &findings)
            .map_err(|error| BuildError::Failed(error.to_string()))?;
        if let Some(maker) = self.maker {
            match self.snapshot(maker, &findings, cancel).await? {
                Ok(image) => return Ok(image),
                Err(reason) => self.progress.line(
                    StageName::Build,
                    &format!("Building with componentize-py, which takes longer, because {reason}"),
                ),
            }
        }
        let started = Instant::now();
        let limits = self.limits("The build", TOP_LEVEL, self.config.timeout);
        let component = componentize::run(
            &self.config.venv,
            self.tree,
            self.room,
            limits,
            self.progress,
            cancel,
        )
        .await?;
        let megabytes = component.size as f64 / 1e6;
        self.progress.line(
            StageName::Build,
            &format!(
                "Built a WebAssembly component of {megabytes:.1} MB in {:.1} s",
                started.elapsed().as_secs_f64()
            ),
        );
        Ok(component)
    }

    /// What the source needs is installed, and what it imports is looked at again.
    async fn with_requirements(
        &self,
        mut surroundings: Surroundings,
        findings: Findings,
        cancel: &CancellationToken,
    ) -> Result<Findings, BuildError> {
        if self.tree.requirements.is_empty() {
            return Ok(findings);
        }
        surroundings.installed = Some(self.install(cancel).await?);
        let tree = self.tree.clone();
        let findings = tokio::task::spawn_blocking(move || check_tree(&tree, &surroundings))
            .await
            .map_err(|error| BuildError::Failed(error.to_string()))?;
        refuse_errors(&findings)?;
        Ok(findings)
    }

    async fn install(&self, cancel: &CancellationToken) -> Result<BTreeSet<String>, BuildError> {
        let cache = self.config.cache_dir.join("requirements");
        std::fs::create_dir_all(&cache).map_err(|error| BuildError::Failed(error.to_string()))?;
        let python = self.config.venv.join("bin").join("python");
        let installer = Installer {
            python: &python,
            cache: &cache,
            index_url: self.config.pip_index_url.as_deref(),
        };
        let limits = self.limits(
            "Installing the requirements",
            "Use fewer or smaller packages.",
            INSTALL,
        );
        installer
            .install(
                &self.tree.requirements,
                self.room,
                limits,
                self.progress,
                cancel,
            )
            .await
    }

    fn mypy_cache(&self) -> PathBuf {
        self.config.cache_dir.join("mypy")
    }

    fn limits(&self, what: &'static str, advice: &'static str, time: Duration) -> Limits {
        let time = time.min(self.config.timeout);
        let (bytes, files) = OWN_DISK;
        Limits {
            what,
            advice,
            deadline: self.deadline.min(Instant::now() + time),
            time,
            memory: MEMORY,
            output: OUTPUT,
            // Source and packages lie there twice.
            disk: (
                self.room.path().to_owned(),
                bytes + 3 * self.config.max_unpacked,
                files + 3 * self.config.max_files,
            ),
        }
    }
}

/// What a type checker reads.
fn is_checked(path: &str) -> bool {
    std::path::Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "py" || extension == "pyi")
}
