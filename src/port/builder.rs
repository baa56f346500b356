//! Python source to an artifact.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

use crate::model::deployment::AppName;
use crate::model::id::{FunctionId, TaskId, WorkspaceId};
use crate::model::source::{Diagnostic, SourceKind, SourceSummary};
use crate::model::task::StageName;
use crate::model::time::Timestamp;
use crate::model::version::Artifact;

/// Where a source comes from, not yet looked at.
#[derive(Clone, Debug)]
pub enum RawSource {
    /// One Python module: its file name and content.
    File { name: String, content: Bytes },
    /// A .zip archive.
    Package { archive: Bytes },
    /// The files of a package, by their paths.
    Files { files: BTreeMap<String, Bytes> },
}

/// A source that was read and bounded: what a build works on.
#[derive(Clone, Debug)]
pub struct SourceTree {
    pub kind: SourceKind,
    /// Path with `/`, relative, without `..`; the content as it was sent.
    pub files: BTreeMap<String, Bytes>,
    /// The file that holds the handler, as in `app.py`.
    pub entry: String,
    /// What `spin.toml` of a package said, if it had one.
    pub manifest: Option<SpinManifest>,
    /// Python requirements, one a line, comments dropped.
    pub requirements: Vec<String>,
}

/// What is read from a package's `spin.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpinManifest {
    pub component: String,
    pub allowed_outbound_hosts: Vec<String>,
    pub environment: BTreeMap<String, String>,
}

/// How somebody else builds a source as a Spin app, with the tools that this builder uses.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// For pip, as in `spin-sdk==3.4.1`.
    pub requirements: Vec<String>,
    /// Makes `app.wasm` in a folder that holds the source and the files below.
    pub command: String,
    /// What the command needs beside the source, by path; no file of the source has one of these paths.
    pub files: BTreeMap<String, Bytes>,
}

#[derive(Clone)]
pub struct BuildRequest {
    pub task_id: TaskId,
    pub workspace_id: WorkspaceId,
    pub function_id: Option<FunctionId>,
    pub app_name: AppName,
    pub source: SourceTree,
    /// Where the result goes afterwards. A builder that builds and pushes in one job does both; any other leaves it to [`Builder::push`].
    pub push: Option<Destination>,
}

#[derive(Clone, Debug)]
pub struct Built {
    /// Absent where the builder keeps what it made: then the image is all there is to run.
    pub artifact: Option<Artifact>,
    /// Where the builder says it keeps the component, as in `s3://bucket/key`.
    pub wasm_path: Option<String>,
    /// The image, where the builder has pushed it as well.
    pub pushed: Option<Pushed>,
}

/// A builder's own name of work that it does elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub id: String,
    /// Where the builder keeps the source, which a later push names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_path: Option<String>,
    /// When it was accepted: its time runs from then, however often a server stops in between.
    pub since: Timestamp,
}

/// Keeps the job of a task, so that whoever takes the task up goes on with it instead of beginning another.
#[async_trait]
pub trait JobRecord: Send + Sync {
    /// What an earlier run of the task kept.
    fn earlier(&self) -> Option<Job>;

    /// Durable when it answers. An error means that the task is somebody else's by now, or that nothing can be written: the caller MUST
    /// stop and have no further effect.
    async fn keep(&self, job: &Job) -> Result<(), BuildError>;
}

/// Credentials for a registry. Never stored, logged or echoed: no `Debug`, no serialization.
#[derive(Clone)]
pub struct RegistryCredentials {
    pub username: String,
    pub password: String,
}

/// For work that nobody goes on with after a stop.
pub struct Unkept;

#[async_trait]
impl JobRecord for Unkept {
    fn earlier(&self) -> Option<Job> {
        None
    }

    async fn keep(&self, _job: &Job) -> Result<(), BuildError> {
        Ok(())
    }
}

#[derive(Clone)]
pub struct Destination {
    /// `registry/repository`, without a tag.
    pub registry_url: String,
    pub tag: String,
    pub credentials: Option<RegistryCredentials>,
}

#[derive(Clone)]
pub struct PushRequest {
    pub task_id: TaskId,
    pub workspace_id: WorkspaceId,
    pub app_name: AppName,
    /// Absent where the builder keeps what it made.
    pub artifact: Option<Artifact>,
    /// Where the source of it lies, as the task that built it was told.
    pub source_path: Option<String>,
    pub destination: Destination,
}

#[derive(Clone, Debug)]
pub struct Pushed {
    /// `registry/repository:tag`.
    pub image_ref: String,
}

/// Hears of a build while it runs. Calls are cheap and never block.
pub trait Progress: Send + Sync {
    /// The stage that runs now; the one before it is done.
    fn stage(&self, name: StageName);
    /// A line of output, without its line break.
    fn line(&self, stage: StageName, text: &str);
}

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The source is at fault: `message` is what the caller reads, as in `MyPy validation failed: app.py:10: error: …`.
    #[error("{message}")]
    Source {
        message: String,
        diagnostics: Vec<Diagnostic>,
    },
    #[error("the build was cancelled")]
    Cancelled,
    /// A limit was reached: time, memory, output, files. The message says which and what to do.
    #[error("{0}")]
    LimitReached(String),
    /// The registry refused or could not be reached; the message holds a hint and no secret.
    #[error("{0}")]
    Registry(String),
    /// The builder is elsewhere and away, or gave no answer that can be read; the message says so, and holds no address and no secret.
    #[error("{0}")]
    Unavailable(String),
    /// The builder itself failed; the same build may succeed later.
    #[error("the builder failed: {0}")]
    Failed(String),
}

/// Builds and pushes. Implementations MUST
///
/// - be safe to run again with the same task id after a crash: what an earlier run left is replaced or reused, and its effect happens once;
/// - keep a job that somebody else works on before asking how it is, and go on with one that was kept;
/// - stop within two seconds of `cancel`, leaving no process and no file behind;
/// - bound time, memory, output and files of what the source makes them do, and give it no environment, secret or network;
/// - never show a credential in a line, an error or an artifact.
#[async_trait]
pub trait Builder: Send + Sync + 'static {
    /// Reads a source and bounds it, without running any of it. Cheap enough for a request.
    async fn read_source(&self, raw: RawSource) -> Result<(SourceTree, SourceSummary), BuildError>;

    /// The files of a .zip archive that may be no source as a whole, bounded as a package's are.
    async fn unpack(&self, archive: Bytes) -> Result<BTreeMap<String, Bytes>, BuildError>;

    /// How to build this source elsewhere. Runs none of it.
    async fn recipe(&self, source: &SourceTree) -> Result<Recipe, BuildError>;

    /// The quick checks on one module as it is typed: syntax, the handler, imports. Never fails; no process is started.
    fn diagnose(&self, file: &str, python: &str) -> Vec<Diagnostic>;

    /// Identifies what a build of this tree gives: two trees with the same key give the same artifact. `None` where there are none to keep.
    fn cache_key(&self, source: &SourceTree) -> Option<String>;

    /// Stages `validate` and `build`, and `push` where [`Built::pushed`] says so.
    async fn build(
        &self,
        request: BuildRequest,
        progress: &dyn Progress,
        job: &dyn JobRecord,
        cancel: &CancellationToken,
    ) -> Result<Built, BuildError>;

    /// A program of this source for [`Platform::run_program`](super::platform::Platform::run_program), made at once and kept nowhere.
    /// Types are not checked.
    async fn draft(
        &self,
        source: SourceTree,
        cancel: &CancellationToken,
    ) -> Result<Bytes, BuildError>;

    /// The artifact as a component that any Spin host runs, at [`Artifact::portable_key`] from then on. Made where it is missing.
    async fn portable(&self, artifact: &Artifact) -> Result<Artifact, BuildError>;

    /// Stage `push`.
    async fn push(
        &self,
        request: PushRequest,
        progress: &dyn Progress,
        job: &dyn JobRecord,
        cancel: &CancellationToken,
    ) -> Result<Pushed, BuildError>;

    /// Cheap proof that builds can run; the text says what is missing.
    async fn check(&self) -> Result<(), String>;
}
