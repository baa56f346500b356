//! From a checked source to a component: the guest's Python loads it once and is frozen.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

use super::child::{self, Limits, Program};
use super::workdir::Room;
use super::{failure, usage};
use crate::adapter::source::diagnose::Findings;
use crate::adapter::source::shim::{module, shim};
use crate::adapter::source::tree::hex;
use crate::model::task::StageName;
use crate::port::builder::{BuildError, Progress, SourceTree};

/// A component, or an image, as it lies on disk.
pub(super) struct Artifact {
    pub(super) path: PathBuf,
    pub(super) sha256: String,
    pub(super) size: u64,
}

/// Appends to the entry in the room's `src`.
pub(super) fn append_shim(entry: &Path, findings: &Findings) -> io::Result<()> {
    let shim = shim(findings);
    if shim.is_empty() {
        return Ok(());
    }
    io::Write::write_all(
        &mut OpenOptions::new().append(true).open(entry)?,
        shim.as_bytes(),
    )
}

/// What the toolchain gets to see.
pub(super) fn environment(room: &Room) -> Vec<(&'static str, OsString)> {
    vec![
        ("HOME", room.path().into()),
        ("TMPDIR", room.tmp().into()),
        // Not the real one: the guest may write to what is mounted, and the real one runs outside the sandbox.
        ("VIRTUAL_ENV", room.environment().into()),
        ("RUST_BACKTRACE", "0".into()),
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
    ]
}

pub(super) async fn run(
    venv: &Path,
    tree: &SourceTree,
    room: &Room,
    limits: Limits,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Artifact, BuildError> {
    let python = venv.join("bin").join("python");
    let output = room.out().join("app.wasm");
    let module = module(&tree.entry);
    let start = "import sys; from componentize_py import script; sys.exit(script())";
    let mut args = vec!["-I".into(), "-c".into(), start.into()];
    args.extend(["-q", "-w", "spin-http", "componentize", &module, "-p", "."].map(Into::into));
    // Always the second mount, so that a traceback tells the source from the packages.
    args.extend([
        "-p".into(),
        room.vendor().into(),
        "-o".into(),
        output.clone().into(),
    ]);
    let dir = room.src();
    let program = Program {
        path: &python,
        args,
        env: environment(room),
        dir: &dir,
    };
    let finished = child::run(program, &limits, cancel, &mut |_: &str| ()).await?;
    if !finished.success {
        for line in failure::guest_lines(&finished.output) {
            progress.line(StageName::Build, &line);
        }
        return Err(failure::interpret(&finished.output, &tree.files));
    }
    tokio::task::spawn_blocking(move || measure(output))
        .await
        .map_err(|error| BuildError::Failed(error.to_string()))?
        .map_err(|error| BuildError::Failed(format!("the component could not be read: {error}")))
}

pub(super) fn measure(path: PathBuf) -> io::Result<Artifact> {
    let mut file = File::open(&path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(Artifact {
                path,
                sha256: hex(&hasher.finalize()),
                size,
            });
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
    }
}

/// `lib/python3.x/site-packages` of a virtual environment.
pub(super) fn site_packages(venv: &Path) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(venv.join("lib"))
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found.pop()
}

/// Versions of the packages that decide what a build gives, by name.
pub(super) fn versions(venv: &Path) -> BTreeMap<String, String> {
    let packages = site_packages(venv).and_then(|path| fs::read_dir(path).ok());
    let names = packages
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let versions = names.filter_map(|name| {
        let (package, version) = name.strip_suffix(".dist-info")?.split_once('-')?;
        Some((package.to_owned(), version.to_owned()))
    });
    versions
        .filter(|(package, _)| matches!(package.as_str(), "componentize_py" | "spin_sdk" | "mypy"))
        .collect()
}

/// The SDK for one build alone.
pub(super) fn copy_sdk(venv: &Path, packages: &Path) -> io::Result<()> {
    let sdk = site_packages(venv)
        .map(|path| path.join("spin_sdk"))
        .ok_or_else(|| io::Error::other("the virtual environment has no site-packages"))?;
    usage::copy_tree(&sdk, &packages.join("spin_sdk"), &|name| {
        name != "__pycache__"
    })
}
