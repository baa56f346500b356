//! Components for tests, built from `tests/fixtures/*.py` once per source and kept outside the repository.

use blue_faas::model::version::Artifact;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// A built component.
#[derive(Clone, Debug)]
pub struct Component {
    pub artifact: Artifact,
}

/// Where native code of fixtures is kept from run to run: compiling it takes seconds.
pub fn native_dir() -> PathBuf {
    cache().join("native")
}

/// Builds `tests/fixtures/{name}.py`, or answers what an earlier run built from the same text.
pub fn build(name: &str) -> Component {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(format!("{name}.py"));
    build_source(&std::fs::read_to_string(&source).expect("the fixture exists"))
}

/// Builds a module of this text.
pub fn build_source(source: &str) -> Component {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let file = cache().join(format!("{}.wasm", hexadecimal(source.as_bytes())));
    if !file.is_file() {
        componentize(source, &file);
    }
    component(file)
}

/// Any file as if it were a component.
pub fn component(file: PathBuf) -> Component {
    let content = std::fs::read(&file).expect("the file can be read");
    let artifact = Artifact {
        key: file.display().to_string(),
        sha256: hexadecimal(&content),
        size: content.len() as u64,
    };
    Component { artifact }
}

fn componentize(source: &str, file: &Path) {
    let folder = tempfile::tempdir_in(cache()).expect("a folder");
    std::fs::write(folder.path().join("app.py"), source).expect("the source is written");
    let venv = environment();
    let output = Command::new(venv.join("bin/componentize-py"))
        .args([
            "-q",
            "-w",
            "spin-http",
            "componentize",
            "app",
            "-o",
            "app.wasm",
        ])
        .env("RUST_BACKTRACE", "0")
        .env("VIRTUAL_ENV", &venv)
        .current_dir(folder.path())
        .output()
        .expect("componentize-py is installed: run `make tools`");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::rename(folder.path().join("app.wasm"), file).expect("the component is kept");
}

/// The Python environment with the tools that build.
pub fn environment() -> PathBuf {
    std::env::var_os("BLUE_FAAS_VENV")
        .map_or_else(|| home().join(".cache/blue-faas/venv"), PathBuf::from)
}

fn cache() -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("blue-faas-fixtures");
    std::fs::create_dir_all(&cache).expect("a cache folder");
    cache
}

fn home() -> PathBuf {
    std::env::var_os("HOME")
        .map(PathBuf::from)
        .expect("HOME is set")
}

fn hexadecimal(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
