//! What the builds of these tests need around them.

use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::adapter::builder::embedded::usage::processes_in;
use crate::adapter::builder::embedded::{ComponentizeBuilder, ComponentizeConfig};
use crate::adapter::snapshot::Bases;
use crate::model::deployment::AppName;
use crate::model::id::{TaskId, WorkspaceId};
use crate::model::source::Diagnostic;
use crate::model::task::StageName;
use crate::port::blobs::{BlobError, BlobInfo, Blobs};
use crate::port::builder::{BuildError, BuildRequest, Builder, Built, Progress, RawSource, Unkept};

/// Objects in memory.
#[derive(Default)]
pub(super) struct Memory(pub(super) Mutex<BTreeMap<String, Bytes>>);

#[async_trait]
impl Blobs for Memory {
    async fn put(&self, key: &str, content: Bytes, _: Option<&str>) -> Result<(), BlobError> {
        self.0
            .lock()
            .expect("a lock")
            .insert(key.to_owned(), content);
        Ok(())
    }
    async fn put_file(
        &self,
        key: &str,
        file: &Path,
        sha256: Option<&str>,
    ) -> Result<(), BlobError> {
        let content = std::fs::read(file).map_err(|error| BlobError::Failed(error.to_string()))?;
        self.put(key, content.into(), sha256).await
    }
    async fn get(&self, key: &str, _: Option<&str>) -> Result<Bytes, BlobError> {
        self.0
            .lock()
            .expect("a lock")
            .get(key)
            .cloned()
            .ok_or_else(|| BlobError::Missing(key.to_owned()))
    }
    async fn local_file(&self, key: &str, _: &Path) -> Result<PathBuf, BlobError> {
        Err(BlobError::Missing(key.to_owned()))
    }
    async fn exists(&self, key: &str) -> Result<bool, BlobError> {
        Ok(self.0.lock().expect("a lock").contains_key(key))
    }
    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.0.lock().expect("a lock").remove(key);
        Ok(())
    }
    async fn list(&self, _: &str) -> Result<Vec<BlobInfo>, BlobError> {
        Ok(Vec::new())
    }
    async fn delete_folder(&self, prefix: &str) -> Result<(), BlobError> {
        let mut objects = self.0.lock().expect("a lock");
        objects.retain(|key, _| !key.starts_with(prefix));
        Ok(())
    }
    fn url(&self, key: &str) -> String {
        format!("local://{key}")
    }
    async fn check(&self) -> Result<(), BlobError> {
        Ok(())
    }
    async fn disk_usage(&self) -> Option<u64> {
        None
    }
}

/// What a build told.
#[derive(Default)]
pub(super) struct Told {
    pub(super) stages: Mutex<Vec<StageName>>,
    pub(super) lines: Mutex<Vec<String>>,
}

impl Progress for Told {
    fn stage(&self, name: StageName) {
        self.stages.lock().expect("a lock").push(name);
    }
    fn line(&self, _: StageName, text: &str) {
        self.lines.lock().expect("a lock").push(text.to_owned());
    }
}

pub(super) struct Workshop {
    pub(super) builder: ComponentizeBuilder,
    pub(super) blobs: Arc<Memory>,
    pub(super) told: Told,
    pub(super) cancel: CancellationToken,
    pub(super) dir: TempDir,
}

fn cache_home() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cache");
    std::env::var_os("XDG_CACHE_HOME")
        .map_or_else(home, PathBuf::from)
        .join("blue-faas")
}

impl Workshop {
    pub(super) fn new(timeout: Duration) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let blobs = Arc::new(Memory::default());
        let config = ComponentizeConfig {
            venv: std::env::var_os("BLUE_FAAS_VENV")
                .map_or_else(|| cache_home().join("venv"), PathBuf::from),
            snapshot: false,
            work_dir: dir.path().join("work"),
            cache_dir: dir.path().join("cache"),
            timeout,
            max_unpacked: 200 * 1024 * 1024,
            max_files: 10_000,
            pip_index_url: None,
            push_hosts: vec!["127.0.0.1".to_owned()],
        };
        // Nothing is prepared here.
        let bases = Bases::open(&dir.path().join("bases"), PathBuf::new(), blobs.clone());
        let bases = Arc::new(bases.expect("a folder"));
        Self {
            builder: ComponentizeBuilder::new(config, blobs.clone(), bases),
            blobs,
            told: Told::default(),
            cancel: CancellationToken::new(),
            dir,
        }
    }

    pub(super) async fn build(&self, raw: RawSource) -> Result<Built, BuildError> {
        let (source, _) = self.builder.read_source(raw).await?;
        let request = BuildRequest {
            task_id: TaskId::parse("task-1").expect("an id"),
            workspace_id: WorkspaceId::parse("ws-1").expect("an id"),
            function_id: None,
            app_name: AppName::parse("hello").expect("a name"),
            source,
            push: None,
        };
        let told = &self.told;
        self.builder
            .build(request, told, &Unkept, &self.cancel)
            .await
    }

    pub(super) async fn build_text(&self, text: &str) -> Result<Built, BuildError> {
        self.build(RawSource::File {
            name: "app.py".to_owned(),
            content: Bytes::copy_from_slice(text.as_bytes()),
        })
        .await
    }

    pub(super) fn lines(&self) -> String {
        self.told.lines.lock().expect("a lock").join("\n")
    }

    /// Neither a process nor a build's folder.
    pub(super) fn assert_nothing_left(&self) {
        let work = self.dir.path().join("work");
        assert_eq!(processes_in(&work), Vec::<i32>::new());
        for server in std::fs::read_dir(&work)
            .expect("listed")
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
        {
            assert_eq!(std::fs::read_dir(server).expect("listed").count(), 0);
        }
    }
}

pub(super) fn refused(built: Result<Built, BuildError>) -> (String, Vec<Diagnostic>) {
    match built {
        Err(BuildError::Source {
            message,
            diagnostics,
        }) => (message, diagnostics),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was built"),
    }
}

/// Debian's docker-registry on a free port; ended when it goes out of scope.
pub(super) struct Registry {
    child: Child,
    pub(super) port: u16,
}

impl Registry {
    pub(super) async fn start(dir: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("an address")
            .port();
        let config = dir.join("registry.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n",
            dir.join("registry").display()
        );
        std::fs::write(&config, text).expect("written");
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is on PATH: run `make setup-test`");
        let registry = Self { child, port };
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return registry;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the registry does not answer");
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
