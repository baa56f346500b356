//! The base that functions are snapshots of: made of the toolchain when the first build asks for it, then kept.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::child::{self, Limits, Program};
use super::componentize;
use super::workdir::{Room, WorkDir};
use crate::adapter::snapshot::{
    BASE_MODULE, BASE_SOURCE, BASE_WORLD, Bases, Capturer, LoadedBase, PreparedBase, engine,
};
use crate::adapter::source::tree::hex;

/// Changes when another base is made of the same source.
const REVISION: &str = "1";
/// Of componentize-py, which takes eleven seconds.
const TIMEOUT: Duration = Duration::from_mins(3);
/// How long a base that could not be made is not tried again.
const PAUSE: Duration = Duration::from_mins(10);
/// How long preparing may go on unmentioned.
const SILENCE: Duration = Duration::from_secs(1);
const MEMORY: u64 = 1536 * 1024 * 1024;
const OUTPUT: usize = 1024 * 1024;
const DISK: (u64, usize) = (512 * 1024 * 1024, 10_000);
/// WIT packages that [`BASE_WORLD`] leads to, of those that come with the SDK.
const PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// A base in this process.
pub(super) struct Base {
    pub(super) prepared: Arc<PreparedBase>,
    pub(super) capturer: Capturer,
}

enum State {
    Unasked,
    Ready(Arc<Base>),
    Failed(String, Instant),
}

pub(super) struct BaseMaker {
    bases: Arc<Bases>,
    venv: PathBuf,
    work: Arc<WorkDir>,
    recipe: String,
    state: Mutex<State>,
}

/// Names what a base made here consists of.
pub(super) fn recipe(versions: &BTreeMap<String, String>) -> String {
    let mut hasher = Sha256::new();
    hasher.update(REVISION);
    hasher.update(BASE_SOURCE);
    hasher.update(BASE_WORLD);
    for (package, version) in versions {
        // The type check leaves no trace in it.
        if package != "mypy" {
            hasher.update(format!("{package}=={version}\n"));
        }
    }
    hex(&hasher.finalize())
}

impl BaseMaker {
    pub(super) fn new(
        bases: Arc<Bases>,
        venv: PathBuf,
        work: Arc<WorkDir>,
        recipe: String,
    ) -> Self {
        bases.want(&recipe);
        Self {
            bases,
            venv,
            work,
            recipe,
            state: Mutex::new(State::Unasked),
        }
    }

    /// The base, made and prepared first where there is none: twenty seconds, as long as a stock build takes on a machine that has
    /// done none. `waiting` is called when it takes a while. Goes on when the future is dropped, for the next one who asks.
    pub(super) async fn base(
        self: &Arc<Self>,
        waiting: impl FnOnce(),
    ) -> Result<Arc<Base>, String> {
        if let Ok(state) = self.state.try_lock()
            && let Some(known) = state.known()
        {
            return known;
        }
        let mut making = tokio::spawn(self.clone().settle());
        let soon = tokio::time::timeout(SILENCE, &mut making).await;
        let made = if let Ok(made) = soon {
            made
        } else {
            waiting();
            making.await
        };
        made.map_err(|error| error.to_string())?
    }

    async fn settle(self: Arc<Self>) -> Result<Arc<Base>, String> {
        let mut state = self.state.lock().await;
        if let Some(known) = state.known() {
            return known;
        }
        let made = self.make().await;
        *state = match &made {
            Ok(base) => State::Ready(base.clone()),
            Err(error) => {
                tracing::warn!(%error, "there is no base for functions: they are built by componentize-py");
                State::Failed(error.clone(), Instant::now())
            }
        };
        made
    }

    async fn make(&self) -> Result<Arc<Base>, String> {
        let prepared = match self.bases.by_recipe(&self.recipe).await? {
            Some(prepared) => prepared,
            None => self.build().await?,
        };
        let load = move || {
            let engine = wasmtime::Engine::new(&engine::compiler_config())?;
            engine::start_ticker(&engine)?;
            let capturer = Capturer::new(&engine, &LoadedBase::load(&engine, prepared.folder())?)?;
            Ok(Arc::new(Base { prepared, capturer }))
        };
        tokio::task::spawn_blocking(load)
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error: wasmtime::Error| format!("the base cannot be loaded: {error:#}"))
    }

    async fn build(&self) -> Result<Arc<PreparedBase>, String> {
        let room = self.work.room().map_err(|error| error.to_string())?;
        let (venv, lay) = (self.venv.clone(), room.path().to_owned());
        let (src, packages) = (room.src(), room.packages());
        tokio::task::spawn_blocking(move || lay_out(&venv, &lay, &src, &packages))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| format!("the folder for the base could not be prepared: {error}"))?;
        let output = self.componentize(&room).await?;
        let added = self.bases.add(&output, &self.recipe).await;
        // Thousands of files: not on a thread that serves requests.
        let _ = tokio::task::spawn_blocking(move || drop(room)).await;
        added.map_err(|error| error.to_string())
    }

    async fn componentize(&self, room: &Room) -> Result<PathBuf, String> {
        let output = room.out().join("base.wasm");
        let start = "import sys; from componentize_py import script; sys.exit(script())";
        let mut args = vec!["-I".into(), "-c".into(), start.into()];
        args.extend(["-q", "-d"].map(Into::into));
        args.push(wit(room.path()).into());
        let rest = [
            "-w",
            "base",
            "componentize",
            "-m",
            "spin_sdk=spin-http",
            BASE_MODULE,
            "-p",
            ".",
            // The second mount is a function's packages, so that the SDK is the third as in a whole build.
            "-p",
            "../vendor",
            "-o",
        ];
        args.extend(rest.map(Into::into));
        args.push(output.clone().into());
        let dir = room.src();
        let python = self.venv.join("bin").join("python");
        let program = Program {
            path: &python,
            args,
            env: componentize::environment(room),
            dir: &dir,
        };
        let limits = Limits {
            what: "Making the base",
            advice: "Look at the machine's load.",
            deadline: Instant::now() + TIMEOUT,
            time: TIMEOUT,
            memory: MEMORY,
            output: OUTPUT,
            disk: (room.path().to_owned(), DISK.0, DISK.1),
        };
        let finished = child::run(
            program,
            &limits,
            &CancellationToken::new(),
            &mut |_: &str| (),
        )
        .await
        .map_err(|stopped| format!("{stopped:?}"))?;
        if finished.success {
            return Ok(output);
        }
        let mut lines = finished.output.lines().rev();
        let last = lines.find(|line| !line.trim().is_empty());
        tracing::error!(output = %finished.output.chars().take(4000).collect::<String>(), "the base could not be made");
        Err(format!(
            "the base could not be made: {}",
            last.unwrap_or_default().trim()
        ))
    }
}

impl State {
    fn known(&self) -> Option<Result<Arc<Base>, String>> {
        match self {
            Self::Ready(base) => Some(Ok(base.clone())),
            Self::Failed(error, at) if at.elapsed() < PAUSE => Some(Err(error.clone())),
            Self::Failed(..) | Self::Unasked => None,
        }
    }
}

fn wit(room: &Path) -> PathBuf {
    room.join("wit")
}

fn lay_out(venv: &Path, room: &Path, src: &Path, packages: &Path) -> io::Result<()> {
    fs::create_dir_all(packages)?;
    componentize::copy_sdk(venv, packages)?;
    fs::write(src.join(format!("{BASE_MODULE}.py")), BASE_SOURCE)?;
    let (wit, sdk) = (
        wit(room),
        packages.join("spin_sdk").join("wit").join("deps"),
    );
    for package in PACKAGES {
        let place = wit.join("deps").join(package);
        fs::create_dir_all(&place)?;
        for file in fs::read_dir(sdk.join(package))? {
            let file = file?;
            fs::copy(file.path(), place.join(file.file_name()))?;
        }
    }
    fs::write(wit.join("base.wit"), BASE_WORLD)
}
