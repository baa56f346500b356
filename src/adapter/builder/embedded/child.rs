//! A bounded child process: a group of its own, an empty environment, and an end within two seconds whatever it does.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::usage::{group_memory, tree_size};
use crate::port::builder::BuildError;

/// How often memory is looked at. Disk is looked at every sixth time.
const TICK: Duration = Duration::from_millis(150);
/// How long output is still read after the program ended.
const DRAIN: Duration = Duration::from_millis(500);
/// Bytes of one file at most, in blocks of 512 bytes as `ulimit` counts.
const FILE_BLOCKS: u64 = 512 * 1024 * 1024 / 512;
const MIB: u64 = 1024 * 1024;
/// `SIGXFSZ`, `SIGXCPU`.
const LIMIT_SIGNALS: [i32; 2] = [25, 24];

pub(super) struct Program<'a> {
    pub(super) path: &'a Path,
    pub(super) args: Vec<OsString>,
    /// All of its environment besides a minimal `PATH`.
    pub(super) env: Vec<(&'static str, OsString)>,
    pub(super) dir: &'a Path,
}

pub(super) struct Limits {
    /// What is running, as in "The build": begins the message when a limit is reached.
    pub(super) what: &'static str,
    /// What to do when a limit is reached: ends the message.
    pub(super) advice: &'static str,
    pub(super) deadline: Instant,
    /// The time that `deadline` stands for, for the message.
    pub(super) time: Duration,
    /// Bytes of resident memory of the whole group.
    pub(super) memory: u64,
    /// Bytes of output.
    pub(super) output: usize,
    /// A folder, and how many bytes and files it may hold.
    pub(super) disk: (PathBuf, u64, usize),
}

impl Limits {
    fn reached(&self, what_it_did: &str) -> Stopped {
        Stopped::Limit(format!(
            "{} {what_it_did} and was stopped. {}",
            self.what, self.advice
        ))
    }
}

pub(super) struct Finished {
    pub(super) success: bool,
    /// Exit code; `None` when a signal ended it.
    pub(super) code: Option<i32>,
    /// Standard output and error, as they came.
    pub(super) output: String,
}

#[derive(Debug)]
pub(super) enum Stopped {
    Cancelled,
    Limit(String),
    Failed(String),
}

impl From<Stopped> for BuildError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Cancelled => Self::Cancelled,
            Stopped::Limit(message) => Self::LimitReached(message),
            Stopped::Failed(message) => Self::Failed(message),
        }
    }
}

/// Kills the whole group when it goes out of scope, also when the future that runs it is dropped.
struct Group(Pid);

impl Group {
    fn kill(&self) {
        // A group that is gone already is fine.
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs to the end, to a limit, or until cancelled; no process of the group is left afterwards. `on_line` hears each line of output.
pub(super) async fn run(
    program: Program<'_>,
    limits: &Limits,
    cancel: &CancellationToken,
    on_line: &mut (dyn FnMut(&str) + Send),
) -> Result<Finished, Stopped> {
    let mut child = spawn(&program)?;
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .ok_or_else(|| Stopped::Failed("the child ended before it began".to_owned()))?;
    let group = Group(Pid::from_raw(pid));
    let ended = watch(&mut child, pid, limits, cancel, on_line).await;
    group.kill();
    // SIGKILL was sent: this only waits for the kernel.
    let _ = tokio::time::timeout(Duration::from_secs(1), child.wait()).await;
    ended
}

fn spawn(program: &Program<'_>) -> Result<Child, Stopped> {
    // The shell sets what can only be set from inside: no core, bounded files, low priority.
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg("ulimit -c 0; ulimit -f \"$0\" && exec nice -n 5 \"$@\"")
        .arg(FILE_BLOCKS.to_string())
        .arg(program.path)
        .args(&program.args)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(program.env.iter().map(|(name, value)| (name, value)))
        .current_dir(program.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command.spawn().map_err(|error| {
        Stopped::Failed(format!(
            "{} could not be started: {error}",
            program.path.display()
        ))
    })
}

async fn watch(
    child: &mut Child,
    pid: i32,
    limits: &Limits,
    cancel: &CancellationToken,
    on_line: &mut (dyn FnMut(&str) + Send),
) -> Result<Finished, Stopped> {
    let mut pipes = (
        Pipe::new(child.stdout.take()),
        Pipe::new(child.stderr.take()),
    );
    let mut output = Vec::new();
    let mut status = None;
    let mut end = tokio::time::Instant::from_std(limits.deadline);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut ticks = 0_u32;
    while status.is_none() || pipes.0.is_open() || pipes.1.is_open() {
        tokio::select! {
            () = cancel.cancelled() => return Err(Stopped::Cancelled),
            () = tokio::time::sleep_until(end) => {
                if status.is_some() {
                    break;
                }
                return Err(limits.reached(&format!("took longer than {} seconds", limits.time.as_secs())));
            }
            chunk = pipes.0.read(), if pipes.0.is_open() => pipes.0.take(chunk, &mut output, on_line),
            chunk = pipes.1.read(), if pipes.1.is_open() => pipes.1.take(chunk, &mut output, on_line),
            ended = child.wait(), if status.is_none() => {
                status = Some(ended.map_err(|error| Stopped::Failed(error.to_string()))?);
                end = tokio::time::Instant::now() + DRAIN;
            }
            _ = tick.tick(), if status.is_none() => {
                check_usage(pid, limits, ticks.is_multiple_of(6)).await?;
                ticks += 1;
            }
        }
        if output.len() > limits.output {
            return Err(limits.reached(&format!("printed more than {} KiB", limits.output / 1024)));
        }
    }
    pipes.0.finish(on_line);
    pipes.1.finish(on_line);
    let status = status.ok_or_else(|| Stopped::Failed("the child has no status".to_owned()))?;
    if status
        .signal()
        .is_some_and(|signal| LIMIT_SIGNALS.contains(&signal))
    {
        return Err(limits.reached("wrote a file of more than 512 MiB"));
    }
    Ok(Finished {
        success: status.success(),
        code: status.code(),
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

async fn check_usage(pid: i32, limits: &Limits, with_disk: bool) -> Result<(), Stopped> {
    let folder = with_disk.then(|| limits.disk.0.clone());
    let usage = tokio::task::spawn_blocking(move || {
        (group_memory(pid), folder.map(|folder| tree_size(&folder)))
    })
    .await;
    let (memory, disk) = usage.map_err(|error| Stopped::Failed(error.to_string()))?;
    if memory > limits.memory {
        return Err(limits.reached(&format!(
            "used more than {} MiB of memory",
            limits.memory / MIB
        )));
    }
    let (_, max_bytes, max_files) = limits.disk;
    if disk.is_some_and(|(bytes, files)| bytes > max_bytes || files > max_files) {
        return Err(limits.reached(&format!(
            "wrote more than {} MiB or {max_files} files",
            max_bytes / MIB
        )));
    }
    Ok(())
}

/// One stream of output, cut into lines.
struct Pipe<R> {
    stream: Option<R>,
    buffer: Vec<u8>,
    line: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Pipe<R> {
    fn new(stream: Option<R>) -> Self {
        Self {
            stream,
            buffer: vec![0; 8192],
            line: Vec::new(),
        }
    }

    fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Bytes that are now in the buffer, 0 at the end. Cancel safe: a read that did not finish took nothing.
    async fn read(&mut self) -> usize {
        match &mut self.stream {
            Some(stream) => stream.read(&mut self.buffer).await.unwrap_or(0),
            None => 0,
        }
    }

    fn take(
        &mut self,
        length: usize,
        output: &mut Vec<u8>,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) {
        if length == 0 {
            self.stream = None;
        }
        output.extend_from_slice(&self.buffer[..length]);
        self.line.extend_from_slice(&self.buffer[..length]);
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            on_line(String::from_utf8_lossy(&line).trim_end());
        }
    }

    fn finish(&mut self, on_line: &mut (dyn FnMut(&str) + Send)) {
        if !self.line.is_empty() {
            on_line(String::from_utf8_lossy(&self.line).trim_end());
            self.line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Program, Stopped, run};
    use crate::adapter::builder::embedded::usage::group_memory;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};
    use tokio_util::sync::CancellationToken;

    fn limits(dir: &Path) -> Limits {
        let time = Duration::from_secs(20);
        Limits {
            what: "The build",
            advice: "Do less.",
            deadline: Instant::now() + time,
            time,
            memory: 1 << 30,
            output: 1 << 20,
            disk: (dir.to_owned(), 1 << 20, 100),
        }
    }

    async fn shell(
        script: &str,
        change: impl FnOnce(&mut Limits),
        cancel: &CancellationToken,
    ) -> (Result<super::Finished, Stopped>, Vec<String>) {
        let dir = tempfile::tempdir().expect("a folder");
        let mut limits = limits(dir.path());
        change(&mut limits);
        let program = Program {
            path: Path::new("/bin/sh"),
            args: vec!["-c".into(), script.into()],
            env: vec![("GIVEN", "1".into())],
            dir: dir.path(),
        };
        let mut lines = Vec::new();
        let ended = run(program, &limits, cancel, &mut |line: &str| {
            lines.push(line.to_owned());
        })
        .await;
        (ended, lines)
    }

    #[tokio::test]
    async fn lines_come_one_by_one_and_the_environment_is_empty() {
        let (ended, lines) = shell(
            "env | sort | grep -v -e PWD -e SHLVL -e '^_='; printf tail; exit 3",
            |_| (),
            &CancellationToken::new(),
        )
        .await;
        let ended = ended.expect("ended");
        assert_eq!((ended.success, ended.code), (false, Some(3)));
        assert_eq!(lines, ["GIVEN=1", "PATH=/usr/bin:/bin", "tail"]);
    }

    #[tokio::test]
    async fn limits_on_time_output_memory_and_files_stop_it() {
        let cancel = CancellationToken::new();
        let started = Instant::now();
        let soon =
            |limits: &mut Limits| limits.deadline = Instant::now() + Duration::from_millis(200);
        for (script, change, words) in [
            ("sleep 30", &soon as &dyn Fn(&mut Limits), "longer than"),
            ("yes", &|_: &mut Limits| (), "printed more"),
            (
                "head -c 200000000 /dev/zero | tail",
                &|limits: &mut Limits| limits.memory = 50 << 20,
                "memory",
            ),
            (
                "head -c 3000000 /dev/zero > big; sleep 30",
                &|_: &mut Limits| (),
                "wrote more",
            ),
        ] {
            let (ended, _) = shell(script, change, &cancel).await;
            assert!(
                matches!(&ended, Err(Stopped::Limit(message)) if message.contains(words)),
                "{script}"
            );
        }
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[tokio::test]
    async fn cancelling_ends_the_whole_group_within_two_seconds() {
        let cancel = CancellationToken::new();
        let marker = tempfile::tempdir().expect("a folder");
        let file: PathBuf = marker.path().join("pid");
        let script = format!(
            "trap '' TERM INT; (trap '' TERM; sleep 61) & echo $$ > {}; sleep 62",
            file.display()
        );
        let stop = cancel.clone();
        let path = file.clone();
        let watcher = tokio::spawn(async move {
            while std::fs::read_to_string(&path).map_or(true, |text| !text.ends_with('\n')) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            stop.cancel();
            Instant::now()
        });
        let (ended, _) = shell(&script, |_| (), &cancel).await;
        assert!(matches!(ended, Err(Stopped::Cancelled)));
        assert!(watcher.await.expect("cancelled").elapsed() < Duration::from_secs(30));
        let pid = std::fs::read_to_string(&file)
            .expect("a pid")
            .trim()
            .parse()
            .expect("a number");
        // What was killed is gone once the system comes round to it, which a busy one does late.
        let deadline = Instant::now() + Duration::from_secs(2);
        while group_memory(pid) > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(group_memory(pid), 0);
    }
}
