//! A platform with in-memory neighbours, and calls in few words.

use async_trait::async_trait;
use blue_faas::adapter::platform::wasmtime::{WasmtimeConfig, WasmtimePlatform};
use blue_faas::adapter::snapshot::Bases;
use blue_faas::model::deployment::{AppName, DeployOptions, ImageRef, Namespace};
use blue_faas::model::execution::Level;
use blue_faas::model::function::{Environment, Memory, OutboundHost};
use blue_faas::model::id::{DeploymentId, FunctionId};
use blue_faas::model::version::{Artifact, Configuration};
use blue_faas::port::blobs::{BlobError, BlobInfo, Blobs};
use blue_faas::port::key_values::{KeyValueError, KeyValues};
use blue_faas::port::platform::{
    Answer, Call, CallFailure, Deployed, Outcome, Platform, PlatformError, Release,
};
use bytes::Bytes;
use http::{HeaderMap, Method};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::components::{Component, native_dir};

pub struct Fixture {
    pub platform: Arc<WasmtimePlatform>,
    /// By which its workers are told from those of other tests.
    bases: tempfile::TempDir,
}

pub fn namespace() -> Namespace {
    Namespace::parse("default").expect("valid")
}

/// None is prepared: what these tests run has code of its own.
pub fn bases(directory: &Path, config: &WasmtimeConfig, blobs: Arc<dyn Blobs>) -> Arc<Bases> {
    let bases = Bases::open(directory, config.program.clone(), blobs);
    Arc::new(bases.expect("a folder for bases"))
}

impl Fixture {
    pub fn new() -> Self {
        Self::in_directory(native_dir(), Arc::new(LocalFiles))
    }

    pub fn with_calls_per_worker(calls_per_worker: u64) -> Self {
        let config = WasmtimeConfig {
            calls_per_worker,
            ..config(native_dir())
        };
        Self::start(config, Arc::new(LocalFiles))
    }

    pub fn in_directory(native_dir: PathBuf, blobs: Arc<dyn Blobs>) -> Self {
        Self::start(config(native_dir), blobs)
    }

    fn start(config: WasmtimeConfig, blobs: Arc<dyn Blobs>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bases = bases(folder.path(), &config, blobs.clone());
        let platform = WasmtimePlatform::new(config, blobs, Arc::new(Values::default()), bases)
            .expect("the platform starts");
        Self {
            platform: Arc::new(platform),
            bases: folder,
        }
    }

    /// Process numbers of its workers.
    pub fn workers(&self) -> Vec<i32> {
        let folder = self.bases.path().display().to_string();
        let processes = std::fs::read_dir("/proc").expect("Linux");
        let mut workers: Vec<i32> = processes
            .filter_map(|entry| {
                let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
                let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
                let mut words = command.split('\0').skip(1);
                let is_ours = words.next() == Some("worker") && command.contains(&folder);
                is_ours.then_some(pid)
            })
            .collect();
        workers.sort_unstable();
        workers
    }
    pub async fn deploy(&self, name: &str, component: &Component) -> Deployed {
        self.platform
            .deploy(release(name, Some(component.artifact.clone())))
            .await
            .expect("deploys")
    }

    pub async fn deploy_with(
        &self,
        name: &str,
        component: &Component,
        configuration: Configuration,
    ) -> Deployed {
        let release = Release {
            configuration,
            ..release(name, Some(component.artifact.clone()))
        };
        self.platform.deploy(release).await.expect("deploys")
    }

    pub async fn call(&self, name: &str, path: &str) -> Outcome {
        self.send(name, get(path)).await
    }

    pub async fn send(&self, name: &str, call: Call) -> Outcome {
        self.platform
            .call(&AppName::parse(name).expect("valid"), call, None)
            .await
    }
}

fn config(native_dir: PathBuf) -> WasmtimeConfig {
    WasmtimeConfig {
        native_dir,
        program: env!("CARGO_BIN_EXE_blue-faas").into(),
        functions_url: "http://127.0.0.1:3001".to_owned(),
        namespaces: vec![namespace()],
        max_instances: 64,
        workers: 2,
        calls_per_worker: u64::MAX,
    }
}

pub fn release(name: &str, artifact: Option<Artifact>) -> Release {
    Release {
        deployment_id: DeploymentId::parse("d-1").expect("valid"),
        app_name: AppName::parse(name).expect("valid"),
        namespace: namespace(),
        function_id: Some(FunctionId::parse(format!("fn-{name}")).expect("valid")),
        claimed_by: None,
        version: Some(1),
        image_ref: ImageRef::parse("registry.example/functions:v1").expect("valid"),
        artifact,
        configuration: Configuration::default(),
        options: DeployOptions::default(),
    }
}

pub fn configuration(memory: u32, environment: &[(&str, &str)], hosts: &[&str]) -> Configuration {
    Configuration {
        memory: Memory::parse(memory).expect("valid"),
        environment: Environment::parse(
            environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
        .expect("valid"),
        allowed_outbound_hosts: hosts
            .iter()
            .map(|host| OutboundHost::parse(host).expect("valid"))
            .collect(),
        ..Configuration::default()
    }
}

pub fn get(path: &str) -> Call {
    Call {
        method: Method::GET,
        uri: format!("http://app.localhost{path}")
            .parse()
            .expect("a path"),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: Duration::from_secs(30),
        memory: 128 * 1024 * 1024,
        max_body: 6 * 1024 * 1024,
    }
}

pub fn text(outcome: &Outcome) -> String {
    String::from_utf8(answer(outcome).body.to_vec()).expect("text")
}

pub fn answer(outcome: &Outcome) -> &Answer {
    outcome
        .result
        .as_ref()
        .unwrap_or_else(|failure| panic!("{failure:?}: {:?}", outcome.lines))
}

pub fn failure(outcome: &Outcome) -> &CallFailure {
    outcome.result.as_ref().expect_err("the call fails")
}

pub fn lines(outcome: &Outcome, level: Level) -> Vec<&str> {
    outcome
        .lines
        .iter()
        .filter(|(found, _)| *found == level)
        .map(|(_, line)| line.as_str())
        .collect()
}

pub fn unrunnable(result: Result<Deployed, PlatformError>) -> String {
    match result {
        Err(PlatformError::Unrunnable(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// Keys are paths of files.
pub struct LocalFiles;

#[async_trait]
impl Blobs for LocalFiles {
    async fn put(
        &self,
        key: &str,
        _content: Bytes,
        _sha256: Option<&str>,
    ) -> Result<(), BlobError> {
        Err(BlobError::InvalidKey(key.to_owned()))
    }

    async fn put_file(
        &self,
        key: &str,
        _file: &Path,
        _sha256: Option<&str>,
    ) -> Result<(), BlobError> {
        Err(BlobError::InvalidKey(key.to_owned()))
    }

    async fn get(&self, key: &str, _sha256: Option<&str>) -> Result<Bytes, BlobError> {
        std::fs::read(key)
            .map(Bytes::from)
            .map_err(|_| BlobError::Missing(key.to_owned()))
    }

    async fn local_file(&self, key: &str, _scratch: &Path) -> Result<PathBuf, BlobError> {
        let file = PathBuf::from(key);
        if file.is_file() {
            Ok(file)
        } else {
            Err(BlobError::Missing(key.to_owned()))
        }
    }

    async fn exists(&self, key: &str) -> Result<bool, BlobError> {
        Ok(Path::new(key).is_file())
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        Err(BlobError::InvalidKey(key.to_owned()))
    }

    async fn list(&self, _prefix: &str) -> Result<Vec<BlobInfo>, BlobError> {
        Ok(Vec::new())
    }

    async fn delete_folder(&self, prefix: &str) -> Result<(), BlobError> {
        Err(BlobError::InvalidKey(prefix.to_owned()))
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

#[derive(Default)]
struct Values(Mutex<HashMap<(String, String), Bytes>>);

impl Values {
    fn key(owner: &str, key: &str) -> (String, String) {
        (owner.to_owned(), key.to_owned())
    }
}

#[async_trait]
impl KeyValues for Values {
    async fn get(&self, owner: &str, key: &str) -> Result<Option<Bytes>, KeyValueError> {
        Ok(self
            .0
            .lock()
            .expect("no panic")
            .get(&Self::key(owner, key))
            .cloned())
    }

    async fn set(&self, owner: &str, key: &str, value: Bytes) -> Result<(), KeyValueError> {
        self.0
            .lock()
            .expect("no panic")
            .insert(Self::key(owner, key), value);
        Ok(())
    }

    async fn delete(&self, owner: &str, key: &str) -> Result<(), KeyValueError> {
        self.0
            .lock()
            .expect("no panic")
            .remove(&Self::key(owner, key));
        Ok(())
    }

    async fn keys(&self, owner: &str) -> Result<Vec<String>, KeyValueError> {
        Ok(self
            .0
            .lock()
            .expect("no panic")
            .keys()
            .filter(|(found, _)| found == owner)
            .map(|(_, key)| key.clone())
            .collect())
    }
}

pub fn values() -> Arc<dyn KeyValues> {
    Arc::new(Values::default())
}
