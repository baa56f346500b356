//! The builder that runs here: snapshots of a common base, and componentize-py in a bounded child process for what that does not suit.

mod base;
mod build;
mod cache;
mod child;
mod componentize;
mod failure;
mod image;
mod mypy;
mod portable;
mod registry;
mod requirements;
mod snapshot;
mod usage;
mod workdir;

#[cfg(test)]
mod toolchain;

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use self::base::BaseMaker;
use self::build::Build;
use self::image::Image;
use self::workdir::{Room, WorkDir};
use crate::adapter::snapshot::Bases;
use crate::adapter::source::archive::Limits;
use crate::adapter::source::recipe::VERSIONS;
use crate::adapter::source::{self, tree};
use crate::model::source::{Diagnostic, SourceSummary};
use crate::model::task::StageName;
use crate::model::version::Artifact;
use crate::port::blobs::Blobs;
use crate::port::builder::{
    BuildError, BuildRequest, Builder, Built, Destination, JobRecord, Progress, PushRequest,
    Pushed, RawSource, Recipe, SourceTree,
};

/// Of a draft's import.
const DRAFT: Duration = Duration::from_secs(30);
/// Changes when this builder makes something else of the same source.
const REVISION: &str = "1";
/// Of an image that is sent nowhere.
const KEPT: &str = "Kept here: the registry is not in BLUE_FAAS_PUSH_HOSTS, and deployments on this server need none";

#[derive(Clone, Debug)]
pub struct ComponentizeConfig {
    /// A Python virtual environment with componentize-py, spin-sdk and mypy.
    pub venv: PathBuf,
    /// Whether functions are snapshots of a common base where they can be; else each is built whole.
    pub snapshot: bool,
    /// Builds work below it; what they leave is removed.
    pub work_dir: PathBuf,
    /// Keeps what saves time: the type check's cache, installed requirements. May be removed while no build runs.
    pub cache_dir: PathBuf,
    /// Of one build.
    pub timeout: Duration,
    /// Bytes of a package's files.
    pub max_unpacked: u64,
    /// Files of a package.
    pub max_files: usize,
    /// Where packages come from (`BLUE_FAAS_PIP_INDEX_URL`); `None` is pip's own choice.
    pub pip_index_url: Option<String>,
    /// Registries that images are pushed to (`BLUE_FAAS_PUSH_HOSTS`).
    pub push_hosts: Vec<String>,
}

pub struct ComponentizeBuilder {
    config: ComponentizeConfig,
    blobs: Arc<dyn Blobs>,
    /// Or why there is none.
    work: Result<Arc<WorkDir>, String>,
    versions: BTreeMap<String, String>,
    bases: Arc<Bases>,
    /// Where functions are snapshots of a base.
    maker: Option<Arc<BaseMaker>>,
}

impl ComponentizeBuilder {
    /// Removes what an earlier server left in the working folder. Never fails: [`Builder::check`] tells what is missing.
    pub fn new(config: ComponentizeConfig, blobs: Arc<dyn Blobs>, bases: Arc<Bases>) -> Self {
        let config = ComponentizeConfig {
            venv: absolute(config.venv),
            cache_dir: absolute(config.cache_dir),
            ..config
        };
        let work = WorkDir::claim(&config.work_dir)
            .and_then(|work| std::fs::create_dir_all(&config.cache_dir).map(|()| work))
            .map_err(|error| {
                format!(
                    "The folder for builds ({}) cannot be used: {error}. Make it writable.",
                    config.work_dir.display()
                )
            });
        cache::prune(&config.cache_dir);
        let versions = componentize::versions(&config.venv);
        let work = work.map(Arc::new);
        let maker = work.as_ref().ok().filter(|_| config.snapshot).map(|work| {
            let recipe = base::recipe(&versions);
            Arc::new(BaseMaker::new(
                bases.clone(),
                config.venv.clone(),
                work.clone(),
                recipe,
            ))
        });
        Self {
            config,
            blobs,
            work,
            versions,
            bases,
            maker,
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            bytes: self.config.max_unpacked,
            files: self.config.max_files,
        }
    }

    fn room(&self) -> Result<Room, BuildError> {
        let work = self
            .work
            .as_ref()
            .map_err(|error| BuildError::Failed(error.clone()))?;
        work.room().map_err(|error| {
            BuildError::Failed(format!("a folder for the build could not be made: {error}"))
        })
    }

    /// What is missing or of another version, with the command that mends it.
    fn check_venv(&self) -> Result<(), String> {
        let wanted = VERSIONS
            .iter()
            .map(|(_, name, version)| format!("{name}=={version}"))
            .collect::<Vec<_>>()
            .join(" ");
        let venv = self.config.venv.display();
        let mend = format!("Run: python3 -m venv {venv} && {venv}/bin/pip install {wanted}");
        if !self.config.venv.join("bin").join("python").exists() {
            return Err(format!(
                "There is no Python environment for builds in {venv}. {mend}"
            ));
        }
        let present = componentize::versions(&self.config.venv);
        for (package, name, version) in VERSIONS {
            match present.get(*package) {
                Some(found) if found == version => {}
                Some(found) => {
                    return Err(format!(
                        "{venv} has {name} {found}, and builds need {version}. {mend}"
                    ));
                }
                None => return Err(format!("{venv} lacks {name}. {mend}")),
            }
        }
        Ok(())
    }
}

/// Nobody listens to a draft's progress: it takes a moment.
struct Unheard;

impl Progress for Unheard {
    fn stage(&self, _name: StageName) {}

    fn line(&self, _stage: StageName, _text: &str) {}
}

/// Children run in other folders.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

#[async_trait]
impl Builder for ComponentizeBuilder {
    async fn read_source(&self, raw: RawSource) -> Result<(SourceTree, SourceSummary), BuildError> {
        source::read(raw, self.limits()).await
    }

    async fn unpack(&self, archive: Bytes) -> Result<BTreeMap<String, Bytes>, BuildError> {
        source::unpack(archive, self.limits()).await
    }

    async fn recipe(&self, source: &SourceTree) -> Result<Recipe, BuildError> {
        source::recipe(source).await
    }

    fn diagnose(&self, file: &str, python: &str) -> Vec<Diagnostic> {
        source::diagnose::check_module(file, python)
    }

    fn cache_key(&self, source: &SourceTree) -> Option<String> {
        let mut hasher = Sha256::new();
        hasher.update(REVISION);
        if self.config.snapshot {
            hasher.update(base::recipe(&self.versions));
        }
        for (package, version) in &self.versions {
            hasher.update(format!("{package}=={version}\n"));
        }
        hasher.update(format!(
            "{:?}\n{}\n{}\n",
            source.kind,
            source.entry,
            source.requirements.join("\n")
        ));
        hasher.update(tree::hash(&source.files));
        Some(tree::hex(&hasher.finalize()))
    }

    async fn build(
        &self,
        request: BuildRequest,
        progress: &dyn Progress,
        _job: &dyn JobRecord,
        cancel: &CancellationToken,
    ) -> Result<Built, BuildError> {
        let started = Instant::now();
        let room = self.room()?;
        let build = Build {
            config: &self.config,
            tree: &request.source,
            room: &room,
            progress,
            cancel,
            deadline: started + self.config.timeout,
            maker: self.maker.as_ref(),
        };
        let stem = format!("build-artifacts/{}/{}", request.task_id, request.app_name);
        let mut key = String::new();
        let component = match build.run().await {
            Ok(component) => {
                let extension = component.path.extension().unwrap_or_default();
                key = format!("{stem}.{}", extension.to_string_lossy());
                let stored = self
                    .blobs
                    .put_file(&key, &component.path, Some(&component.sha256))
                    .await;
                stored.map(|()| component).map_err(|error| {
                    BuildError::Failed(format!("the artifact could not be stored: {error}"))
                })
            }
            Err(error) => Err(error),
        };
        // Thousands of files: not on a thread that serves requests.
        let _ = tokio::task::spawn_blocking(move || drop(room)).await;
        let component = component?;
        progress.line(
            StageName::Build,
            &format!(
                "Stored {} ({:.1} s in all)",
                self.blobs.url(&key),
                started.elapsed().as_secs_f64()
            ),
        );
        let artifact = Artifact {
            key,
            sha256: component.sha256,
            size: component.size,
        };
        Ok(Built {
            artifact: Some(artifact),
            wasm_path: None,
            pushed: None,
        })
    }

    async fn draft(
        &self,
        source: SourceTree,
        cancel: &CancellationToken,
    ) -> Result<Bytes, BuildError> {
        // Installing takes what it takes; the rest is a moment's work.
        let time = if source.requirements.is_empty() {
            DRAFT.min(self.config.timeout)
        } else {
            self.config.timeout
        };
        let room = self.room()?;
        let build = Build {
            config: &self.config,
            tree: &source,
            room: &room,
            progress: &Unheard,
            cancel,
            deadline: Instant::now() + time,
            maker: self.maker.as_ref(),
        };
        let image = build.draft().await;
        let _ = tokio::task::spawn_blocking(move || drop(room)).await;
        image
    }

    async fn portable(&self, artifact: &Artifact) -> Result<Artifact, BuildError> {
        self.as_component(artifact).await
    }

    async fn push(
        &self,
        request: PushRequest,
        progress: &dyn Progress,
        _job: &dyn JobRecord,
        cancel: &CancellationToken,
    ) -> Result<Pushed, BuildError> {
        progress.stage(StageName::Push);
        let Destination {
            registry_url,
            tag,
            credentials,
        } = &request.destination;
        let artifact = request.artifact.as_ref().ok_or_else(|| BuildError::Source {
            message: "This was built by a Builder Service, which keeps what it made. Build it again, then push that.".to_owned(),
            diagnostics: Vec::new(),
        })?;
        let image_ref = format!("{}:{tag}", registry_url.trim_end_matches('/'));
        let listed = registry::host(registry_url)
            .is_some_and(|host| registry::is_listed(host, &self.config.push_hosts));
        if artifact.is_image() && !listed {
            // A component is all there would be to store, and nobody takes it from here.
            progress.line(StageName::Push, KEPT);
            return if cancel.is_cancelled() {
                Err(BuildError::Cancelled)
            } else {
                Ok(Pushed { image_ref })
            };
        }
        let artifact = self.as_component(artifact).await?;
        let image = Image::new(&request.app_name, &artifact);
        let stored = image
            .store(self.blobs.as_ref(), &image_ref, &artifact)
            .await;
        stored.map_err(|error| {
            BuildError::Failed(format!("the image could not be stored: {error}"))
        })?;
        progress.line(
            StageName::Push,
            &format!("Image {image_ref}, manifest {}", image.manifest.digest),
        );
        if listed {
            let component = self.blobs.get(&artifact.key, Some(&artifact.sha256)).await;
            let component = component.map_err(|error| {
                BuildError::Failed(format!("the artifact could not be read: {error}"))
            })?;
            let started = Instant::now();
            tokio::select! {
                () = cancel.cancelled() => return Err(BuildError::Cancelled),
                sent = registry::push(&image, component, registry_url, tag, credentials.as_ref()) => sent?,
            }
            progress.line(
                StageName::Push,
                &format!("Pushed in {:.1} s", started.elapsed().as_secs_f64()),
            );
        } else {
            progress.line(StageName::Push, KEPT);
        }
        if cancel.is_cancelled() {
            Err(BuildError::Cancelled)
        } else {
            Ok(Pushed { image_ref })
        }
    }

    async fn check(&self) -> Result<(), String> {
        self.work.as_ref().map(|_| ()).map_err(Clone::clone)?;
        self.check_venv()
    }
}
