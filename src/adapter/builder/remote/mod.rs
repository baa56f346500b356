//! The Builder Service as a builder: what needs no toolchain is done here, the rest is a job there.
//!
//! A job is begun once for a task as far as can be told: its id is kept with the task before anything is asked about it. What cannot be told
//! is whether a request whose answer was lost was taken up; then the job is begun again, and the first one's result is heard by nobody.

mod answer;
mod failure;
mod job;
mod package;
#[cfg(test)]
mod tests;
mod watch;

use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use self::job::{Order, Work};
use crate::adapter::builder_service::{BuilderService, Upload};
use crate::adapter::source::archive::Limits;
use crate::adapter::source::imports::Surroundings;
use crate::adapter::source::{self, diagnose};
use crate::model::source::{Diagnostic, SourceSummary};
use crate::model::version::Artifact;
use crate::port::builder::{
    BuildError, BuildRequest, Builder, Built, Destination, JobRecord, Progress, PushRequest,
    Pushed, RawSource, Recipe, RegistryCredentials, SourceTree,
};

/// ECR's name for whoever has a password.
const NOBODY: &str = "AWS";

#[derive(Clone, Copy, Debug)]
pub struct RemoteConfig {
    /// Between questions about a job. Pauses after failures are multiples of it.
    pub poll_interval: Duration,
    /// How long a service that is away is waited for before a job has begun.
    pub patience: Duration,
    /// Of one job, from when it was accepted.
    pub timeout: Duration,
    /// Bytes of a package's files.
    pub max_unpacked: u64,
    /// Files of a package.
    pub max_files: usize,
}

pub struct RemoteBuilder {
    service: Arc<BuilderService>,
    config: RemoteConfig,
}

impl RemoteBuilder {
    pub fn new(service: Arc<BuilderService>, config: RemoteConfig) -> Self {
        Self { service, config }
    }

    fn limits(&self) -> Limits {
        Limits {
            bytes: self.config.max_unpacked,
            files: self.config.max_files,
        }
    }
}

/// Without a password there is nothing to log in with: the service then uses its own role (IRSA).
fn login(credentials: Option<&RegistryCredentials>) -> Option<(&str, &str)> {
    let credentials = credentials.filter(|credentials| !credentials.password.is_empty())?;
    let username = match credentials.username.as_str() {
        "" => NOBODY,
        name => name,
    };
    Some((username, &credentials.password))
}

/// Its first part is a host: an image that is only known here is no place to push to.
fn check_registry(destination: &Destination) -> Result<(), BuildError> {
    let host = destination.registry_url.split('/').next();
    if host.is_some_and(|host| host.contains(['.', ':']) || host == "localhost") {
        return Ok(());
    }
    Err(BuildError::Registry(
        "The image needs a registry. Set ECR_REGISTRY_URL, or name one with the request."
            .to_owned(),
    ))
}

fn upload(request: &BuildRequest, source: (String, Bytes)) -> Upload {
    let mut texts = vec![
        ("app_name", request.app_name.to_string()),
        ("workspace_id", request.workspace_id.to_string()),
    ];
    if let Some(destination) = &request.push {
        texts.push(("registry_url", destination.registry_url.clone()));
        texts.push(("tag", destination.tag.clone()));
        if let Some((username, password)) = login(destination.credentials.as_ref()) {
            texts.push(("username", username.to_owned()));
            texts.push(("password", password.to_owned()));
        }
    }
    let (file_name, content) = source;
    Upload {
        file_name,
        content,
        texts,
    }
}

#[async_trait]
impl Builder for RemoteBuilder {
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
        diagnose::check_module(file, python)
    }

    fn cache_key(&self, _source: &SourceTree) -> Option<String> {
        None
    }

    async fn build(
        &self,
        request: BuildRequest,
        progress: &dyn Progress,
        job: &dyn JobRecord,
        cancel: &CancellationToken,
    ) -> Result<Built, BuildError> {
        let work = Work {
            service: &self.service,
            config: self.config,
            workspace: &request.workspace_id,
            destination: request.push.as_ref(),
            tree: Some(&request.source),
            progress,
            job,
            cancel,
        };
        let made = if let Some(earlier) = job.earlier() {
            work.go_on(earlier).await?
        } else {
            if let Some(destination) = &request.push {
                check_registry(destination)?;
            }
            let surroundings = Surroundings::of_tree(&request.source);
            source::check(&request.source, &surroundings, progress).await?;
            let source = package::of(&request.source).await?;
            let order = Order::Build {
                upload: upload(&request, source),
                task: &request.task_id,
            };
            work.begin(order).await?
        };
        Ok(Built {
            artifact: None,
            wasm_path: made.wasm_path,
            pushed: made.image_ref.map(|image_ref| Pushed { image_ref }),
        })
    }

    async fn draft(
        &self,
        _source: SourceTree,
        _cancel: &CancellationToken,
    ) -> Result<Bytes, BuildError> {
        Err(BuildError::Source {
            message: "This cannot be run as a draft, because functions are built by the Builder Service. Deploy it instead.".to_owned(),
            diagnostics: Vec::new(),
        })
    }

    async fn portable(&self, artifact: &Artifact) -> Result<Artifact, BuildError> {
        if artifact.is_image() {
            Err(BuildError::Failed(
                "an image of a server that builds itself cannot be read in this one".to_owned(),
            ))
        } else {
            Ok(artifact.clone())
        }
    }

    async fn push(
        &self,
        request: PushRequest,
        progress: &dyn Progress,
        job: &dyn JobRecord,
        cancel: &CancellationToken,
    ) -> Result<Pushed, BuildError> {
        let work = Work {
            service: &self.service,
            config: self.config,
            workspace: &request.workspace_id,
            destination: Some(&request.destination),
            tree: None,
            progress,
            job,
            cancel,
        };
        let made = if let Some(earlier) = job.earlier() {
            work.go_on(earlier).await?
        } else {
            check_registry(&request.destination)?;
            work.begin(Order::Push {
                source_path: request.source_path.as_deref(),
            })
            .await?
        };
        let image_ref = made.image_ref.ok_or_else(|| {
            BuildError::Failed("a push without a destination has no image".to_owned())
        })?;
        Ok(Pushed { image_ref })
    }

    async fn check(&self) -> Result<(), String> {
        self.service.check().await
    }
}
