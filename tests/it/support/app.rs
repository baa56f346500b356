//! The real server, as a process with a data directory of its own, and a client of it.

use http::Method;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::RequestBuilder;
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

use super::announced;
use super::answer::Answer;

/// A debug build on a busy machine; a start takes 50 ms otherwise.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// A build under way is given back within five seconds when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_mins(1);
/// Until a server is told once more to stop.
const DRAINED: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);
/// What the server's environment keeps of the test's: where its tools are.
const INHERITED: [&str; 4] = ["PATH", "HOME", "XDG_CACHE_HOME", "BLUE_FAAS_VENV"];

/// A running server. Its data is removed with it.
pub struct TestApp {
    server: Server,
    client: reqwest::Client,
    /// Keeps others away from the shared cache.
    _cache: Option<File>,
    folder: TempDir,
    settings: Settings,
}

/// Environment variables of the server.
pub type Settings = &'static [(&'static str, &'static str)];

impl TestApp {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same under other settings.
    pub fn start_with(settings: Settings) -> Self {
        Self::in_folder(new_folder(), None, settings)
    }

    /// For tests that really build: what was compiled and type-checked before is shared between them and from run to run, which saves most of
    /// the time. One at a time has it, whatever runs the tests.
    pub fn start_for_builds() -> Self {
        Self::start_for_builds_with(&[])
    }

    /// The same under other settings.
    pub fn start_for_builds_with(settings: Settings) -> Self {
        Self::start_with_cache("blue-faas-builds", settings)
    }

    /// A second one beside it, as on another machine: with a cache of its own.
    pub fn start_replica_with(settings: Settings) -> Self {
        Self::start_with_cache("blue-faas-replica", settings)
    }

    fn start_with_cache(cache: &str, settings: Settings) -> Self {
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join(cache);
        std::fs::create_dir_all(&shared).expect("a folder for the cache");
        let lock = File::create(shared.with_extension("lock")).expect("a lock file");
        lock.lock().expect("the cache is ours");
        let folder = new_folder();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a data directory");
        std::os::unix::fs::symlink(shared, data.join("cache")).expect("a link to the cache");
        Self::in_folder(folder, Some(lock), settings)
    }

    fn in_folder(folder: TempDir, cache: Option<File>, settings: Settings) -> Self {
        // The client is built with TLS although it never speaks it here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()
            .expect("a client");
        Self {
            server: Server::start(folder.path(), settings),
            client,
            _cache: cache,
            folder,
            settings,
        }
    }

    /// Ends the server without giving it any chance to tidy up. Nothing answers until [`Self::start_again`].
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Ends the server in order. Nothing answers until [`Self::start_again`].
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Starts the server on the same data, at other addresses. One that still runs is stopped in order.
    pub fn start_again(&mut self) {
        self.start_again_with(self.settings);
    }

    /// The same under other settings.
    pub fn start_again_with(&mut self, settings: Settings) {
        self.settings = settings;
        self.server.stop();
        self.server = Server::start(self.folder.path(), self.settings);
    }

    /// Where the console and the API answer, as in `http://127.0.0.1:40123`.
    pub fn console(&self) -> &str {
        &self.server.console
    }

    /// Where functions answer.
    pub fn functions(&self) -> &str {
        &self.server.functions
    }

    /// Where its own figures are, with `BLUE_FAAS_METRICS_ADDR`.
    pub fn metrics(&self) -> String {
        announced::metrics(&self.folder.path().join("addresses"), START_TIMEOUT)
    }

    /// What it wrote to its log since its data directory was made.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.server.process.id()
    }

    /// SIGTERM. It goes on as long as it has something to do.
    pub fn terminate(&self) {
        self.server.terminate();
    }

    /// Waits until the server has ended by itself, and answers whether in order.
    pub async fn ended(&mut self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.server.process.try_wait().expect("our child") {
                return status.success();
            }
            assert!(Instant::now() < deadline, "it still runs after {timeout:?}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Its data directory.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// An object of the server's, by the address it is shown under.
    pub fn blob(&self, url: &str) -> std::path::PathBuf {
        let key = url.strip_prefix("local://").expect("an address");
        self.folder.path().join("data/blobs/objects").join(key)
    }

    /// Processes that work in the data directory: type checks and builders.
    pub fn build_processes(&self) -> Vec<i32> {
        let data = self.folder.path().join("data");
        let entries = std::fs::read_dir("/proc").expect("/proc is there");
        entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let pid = path.file_name()?.to_str()?.parse().ok()?;
                let cwd = std::fs::read_link(path.join("cwd")).ok()?;
                cwd.starts_with(&data).then_some(pid)
            })
            .collect()
    }

    /// A request to the API that is still to be completed and sent with [`Answer::of`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.console()))
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PATCH, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// A multipart form with a file and texts.
    pub async fn upload(
        &self,
        method: Method,
        path: &str,
        (name, content): (&str, &str),
        texts: &[(&str, &str)],
    ) -> Answer {
        let part = |disposition: &str, content: &str| {
            format!(
                "--boundary\r\ncontent-disposition: form-data; {disposition}\r\n\r\n{content}\r\n"
            )
        };
        let mut parts: Vec<String> = texts
            .iter()
            .map(|(field, text)| part(&format!("name=\"{field}\""), text))
            .collect();
        parts.push(part(
            &format!("name=\"file\"; filename=\"{name}\""),
            content,
        ));
        parts.push("--boundary--\r\n".to_owned());
        let request = self
            .request(method, path)
            .header("content-type", "multipart/form-data; boundary=boundary")
            .body(parts.concat());
        Answer::of(request).await
    }

    /// A multipart form with a file of any content and texts.
    pub async fn upload_bytes(
        &self,
        path: &str,
        (name, content): (&str, &[u8]),
        texts: &[(&str, &str)],
    ) -> Answer {
        let head = |disposition: &str| {
            format!("--boundary\r\ncontent-disposition: form-data; {disposition}\r\n\r\n")
        };
        let mut body = Vec::new();
        for (field, text) in texts {
            body.extend(format!("{}{text}\r\n", head(&format!("name=\"{field}\""))).into_bytes());
        }
        body.extend(head(&format!("name=\"file\"; filename=\"{name}\"")).into_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--boundary--\r\n");
        let request = self
            .request(Method::POST, path)
            .header("content-type", "multipart/form-data; boundary=boundary")
            .body(body);
        Answer::of(request).await
    }

    /// A request to a deployed function, by its app name and the path it sees.
    pub fn function_request(&self, method: Method, app: &str, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}/{app}{path}", self.functions()))
    }

    pub async fn call(&self, app: &str, path: &str) -> Answer {
        Answer::of(self.function_request(Method::GET, app, path)).await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.server.stop();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log"));
            eprintln!("The server's log:\n{}", log.unwrap_or_default());
        }
    }
}

/// What a program of ours came to that was run to its end.
#[derive(Debug)]
pub struct Ended {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command on this data directory.
pub fn run(arguments: &[&str], data: &Path, settings: Settings) -> Ended {
    let output = command(data, settings)
        .args(arguments)
        .output()
        .expect("the program is built");
    Ended {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn command(data: &Path, settings: Settings) -> Command {
    let inherited = INHERITED
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_blue-faas"));
    command
        .env_clear()
        .envs(inherited)
        .env("BLUE_FAAS_ADDR", "127.0.0.1:0")
        .env("BLUE_FAAS_FUNCTIONS_ADDR", "127.0.0.1:0")
        .env("BLUE_FAAS_DATA_DIR", data)
        .env("LOG_LEVEL", "WARN")
        .envs(settings.iter().copied())
        .stdin(Stdio::null());
    command
}

fn new_folder() -> TempDir {
    // Canonical: processes are found by their working directory.
    let root = std::env::temp_dir().canonicalize().expect("a folder");
    tempfile::tempdir_in(root).expect("a folder")
}

struct Server {
    process: Child,
    console: String,
    functions: String,
}

impl Server {
    fn start(folder: &Path, settings: Settings) -> Self {
        let addresses = folder.join("addresses");
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .expect("a log file");
        let process = command(&folder.join("data"), settings)
            .current_dir(folder)
            .stdout(File::create(&addresses).expect("a file for the addresses"))
            .stderr(log)
            .spawn()
            .expect("the server is built");
        Self::wait_until_it_listens(process, &addresses)
    }

    fn wait_until_it_listens(mut process: Child, addresses: &Path) -> Self {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let text = std::fs::read_to_string(addresses).unwrap_or_default();
            if let Some((console, functions)) = announced::addresses(&text) {
                return Self {
                    process,
                    console,
                    functions,
                };
            }
            let ended = process.try_wait().expect("the server is our child");
            if ended.is_some() || Instant::now() > deadline {
                let _ = process.kill();
                let log = std::fs::read_to_string(addresses.with_file_name("log"));
                panic!(
                    "the server does not start ({ended:?}):\n{}",
                    log.unwrap_or_default()
                );
            }
            std::thread::sleep(POLL);
        }
    }

    fn terminate(&self) {
        let pid = i32::try_from(self.process.id()).expect("a process id");
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }

    /// SIGTERM, and SIGKILL when that takes too long.
    fn stop(&mut self) {
        let begun = Instant::now();
        let mut told = 0;
        while matches!(self.process.try_wait(), Ok(None)) && begun.elapsed() < STOP_TIMEOUT {
            // Again to one that waits for its routes to change.
            if begun.elapsed() >= told * DRAINED {
                self.terminate();
                told += 1;
            }
            std::thread::sleep(POLL);
        }
        self.kill();
    }

    fn kill(&mut self) {
        // One that has ended is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
