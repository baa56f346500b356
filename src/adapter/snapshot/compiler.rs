//! Native code, made by a child process in a directory that only this server writes to.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

/// Wall-clock time of one child at most; ten seconds of computing are usual.
pub const TIMEOUT: Duration = Duration::from_mins(5);
/// Bytes of the child's error text that are kept.
const MAX_ERROR: u64 = 16 * 1024;
const SCRATCH: &str = ".scratch-";

/// Why there is no native code.
#[derive(Debug, thiserror::Error)]
pub enum NotCompiled {
    /// What the child says of its input.
    #[error("{0}")]
    Refused(String),
    #[error("compiling took more than {} s", TIMEOUT.as_secs())]
    TimedOut,
    #[error("{0}")]
    Failed(String),
}

/// The `blue-faas` binary, which compiles in processes of their own, and the directory that it writes to.
pub struct Compiler {
    program: PathBuf,
    directory: PathBuf,
}

impl Compiler {
    /// Makes the directory, for this user only, and drops what an earlier process left half-done in it.
    pub fn claim(program: PathBuf, directory: &Path) -> io::Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        // Its files are run as native code: nobody else may write them.
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))?;
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            // One that is younger may belong to a process that is about to end.
            let age = entry.metadata()?.modified()?.elapsed();
            let is_old = age.is_ok_and(|age| age > TIMEOUT * 2);
            if is_old && entry.file_name().to_string_lossy().starts_with(SCRATCH) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let directory = directory.canonicalize()?;
        Ok(Self { program, directory })
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A folder to work in, on the directory's own disk: what is whole moves to its place.
    pub fn scratch(&self) -> io::Result<TempDir> {
        tempfile::Builder::new()
            .prefix(SCRATCH)
            .tempdir_in(&self.directory)
    }

    /// Runs `blue-faas {command} {paths}` to its end. The child ends with the future, and with this process.
    pub async fn run<P: AsRef<OsStr>>(
        &self,
        command: &str,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<(), NotCompiled> {
        let program = self.program.display();
        let mut child = Command::new(&self.program)
            .arg(command)
            .args(paths)
            .env_clear()
            .current_dir(&self.directory)
            // Held open for as long as the answer is wanted: the child ends when it closes, even if this process is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| NotCompiled::Failed(format!("cannot start {program}: {error}")))?;
        let ended = tokio::time::timeout(TIMEOUT, wait(&mut child)).await;
        let ended = ended.map_err(|_| NotCompiled::TimedOut)?;
        let (status, text) = ended.map_err(|error| NotCompiled::Failed(error.to_string()))?;
        match text.trim() {
            _ if status.success() => Ok(()),
            "" => Err(NotCompiled::Failed(format!(
                "{program} ended with {status}"
            ))),
            text => Err(NotCompiled::Refused(text.to_owned())),
        }
    }
}

async fn wait(child: &mut Child) -> io::Result<(ExitStatus, String)> {
    // `Child::wait` closes stdin first, which ends the child: it is kept apart until then.
    let _held = child.stdin.take();
    let mut text = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        let mut limited = stderr.take(MAX_ERROR);
        limited.read_to_end(&mut text).await?;
        // The child must not stop at a full pipe.
        tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await?;
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok((child.wait().await?, text))
}
