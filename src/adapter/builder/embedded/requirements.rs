//! `requirements.txt`: names and versions only, installed as pure-Python wheels.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::child::{self, Limits, Program};
use super::usage::copy_tree;
use super::workdir::{Room, is_guest_file};
use crate::adapter::source::requirements::FILE;
use crate::adapter::source::tree::hex;
use crate::model::source::{Diagnostic, Severity};
use crate::model::task::StageName;
use crate::port::builder::{BuildError, Progress};
use tokio_util::sync::CancellationToken;

/// What of the server's environment reaches pip: how to get to the index, nothing else.
const PASSED_ON: &[&str] = &[
    "PIP_INDEX_URL",
    "PIP_CERT",
    "PIP_DEFAULT_TIMEOUT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];

/// Where installed requirements are kept, and how they are installed.
pub(super) struct Installer<'a> {
    pub(super) python: &'a Path,
    pub(super) cache: &'a Path,
    pub(super) index_url: Option<&'a str>,
}

impl Installer<'_> {
    /// Puts the packages into the room's `vendor` and answers its top-level modules. A set that was installed before needs no network.
    pub(super) async fn install(
        &self,
        requirements: &[String],
        room: &Room,
        limits: Limits,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<BTreeSet<String>, BuildError> {
        let kept = self.cache.join(key(requirements));
        if kept.is_dir() {
            progress.line(
                StageName::Build,
                &format!(
                    "{} from {FILE}, installed before",
                    count(requirements.len())
                ),
            );
        } else {
            progress.line(
                StageName::Build,
                &format!("Installing {} from {FILE}", count(requirements.len())),
            );
            self.run_pip(requirements, room, limits, progress, cancel)
                .await?;
        }
        let (vendor, cache, target) = (
            room.vendor(),
            self.cache.to_owned(),
            room.path().join("pip"),
        );
        tokio::task::spawn_blocking(move || {
            if target.is_dir() {
                keep(&target, &cache, &kept)?;
            }
            copy_tree(&kept, &vendor, &is_guest_file)?;
            modules(&vendor)
        })
        .await
        .map_err(|error| BuildError::Failed(error.to_string()))?
        .map_err(|error| {
            BuildError::Failed(format!(
                "the installed packages could not be copied: {error}"
            ))
        })
    }

    async fn run_pip(
        &self,
        requirements: &[String],
        room: &Room,
        limits: Limits,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), BuildError> {
        let list = room.path().join(FILE);
        fs::write(&list, requirements.join("\n"))
            .map_err(|error| BuildError::Failed(error.to_string()))?;
        let fixed = "-I -m pip install --no-input --disable-pip-version-check --no-cache-dir --no-compile --no-warn-script-location --progress-bar off --retries 2 \
             --only-binary :all: --platform any --implementation py --abi none --python-version 3.12 --target";
        let mut args: Vec<OsString> = fixed.split_whitespace().map(OsString::from).collect();
        args.extend([room.path().join("pip").into(), "-r".into(), list.into()]);
        let mut env = vec![
            ("HOME", room.path().into()),
            ("TMPDIR", room.tmp().into()),
            ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ];
        env.extend(
            PASSED_ON
                .iter()
                .filter_map(|name| Some((*name, std::env::var_os(name)?))),
        );
        if let Some(url) = self.index_url {
            env.retain(|(name, _)| *name != "PIP_INDEX_URL");
            env.push(("PIP_INDEX_URL", url.into()));
        }
        let program = Program {
            path: self.python,
            args,
            env,
            dir: room.path(),
        };
        let mut on_line = |line: &str| {
            if is_worth_showing(line) {
                progress.line(StageName::Build, line);
            }
        };
        let finished = child::run(program, &limits, cancel, &mut on_line).await?;
        if finished.success {
            Ok(())
        } else {
            Err(failure(&finished.output, requirements))
        }
    }
}

/// Addresses of indexes, which may hold a password, and folders of this machine are left out.
fn is_worth_showing(line: &str) -> bool {
    let shown = [
        "Collecting ",
        "Successfully installed ",
        "ERROR: No matching",
    ];
    shown.iter().any(|start| line.starts_with(start))
}

fn failure(output: &str, requirements: &[String]) -> BuildError {
    let after = |text: &str| {
        output.lines().find_map(|line| {
            line.split_once(text)
                .map(|(_, rest)| rest.trim().to_owned())
        })
    };
    if output.contains("Retrying (Retry(") || output.contains("Max retries exceeded") {
        return BuildError::Failed(format!(
            "the package index could not be reached to install {FILE}. Check the network, BLUE_FAAS_PIP_INDEX_URL and the proxy settings"
        ));
    }
    let (message, package) = if let Some(package) = after("No matching distribution found for ") {
        (
            format!(
                "{package} cannot be installed: the package index has no pure-Python wheel of it for Python 3.12"
            ),
            Some(package),
        )
    } else if output.contains("ResolutionImpossible") || output.contains("conflicting dependencies")
    {
        (
            "The packages cannot be installed together: their versions contradict each other"
                .to_owned(),
            None,
        )
    } else if let Some(reason) = after("ERROR: ") {
        (
            format!(
                "The packages cannot be installed: {}",
                reason.chars().take(300).collect::<String>()
            ),
            None,
        )
    } else {
        return BuildError::Failed("pip ended without saying why".to_owned());
    };
    let line = package.as_ref().and_then(|package| {
        let name = |text: &str| {
            text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        requirements
            .iter()
            .find(|line| name(line) == name(package))
            .cloned()
    });
    let hint = "Check the name and the version. A package with native code cannot run in a function: leave it out, or use one written in Python only.";
    let found = Diagnostic {
        severity: Severity::Error,
        file: FILE.to_owned(),
        line: 0,
        column: 0,
        message: message.clone(),
        hint: Some(hint.to_owned()),
        excerpt: line,
    };
    BuildError::Source {
        message: format!("{FILE}: {message}. {hint}"),
        diagnostics: vec![found],
    }
}

fn count(packages: usize) -> String {
    if packages == 1 {
        "1 package".to_owned()
    } else {
        format!("{packages} packages")
    }
}

fn key(requirements: &[String]) -> String {
    let mut lines = requirements.to_vec();
    lines.sort();
    lines.dedup();
    hex(&Sha256::digest(lines.join("\n").as_bytes()))
}

/// Moves what pip installed into the cache, whole or not at all. Another build may have been quicker: its result is as good.
fn keep(target: &Path, cache: &Path, kept: &PathBuf) -> std::io::Result<()> {
    let staging = tempfile::Builder::new().prefix(".new-").tempdir_in(cache)?;
    let copy = staging.path().join("packages");
    copy_tree(target, &copy, &|name| {
        name != "__pycache__" && name != "bin"
    })?;
    match fs::rename(&copy, kept) {
        Err(_) if kept.is_dir() => Ok(()),
        moved => moved,
    }
}

fn modules(vendor: &Path) -> std::io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(vendor)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match name.strip_suffix(".py") {
            Some(module) => found.insert(module.to_owned()),
            None => entry.file_type()?.is_dir() && !name.contains('.') && found.insert(name),
        };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{failure, key};

    #[test]
    fn a_package_without_a_pure_wheel_is_named() {
        let output = "Collecting numpy\nERROR: Could not find a version that satisfies the requirement numpy (from versions: none)\nERROR: No matching distribution found for numpy\n";
        assert!(
            failure(output, &["numpy".to_owned()])
                .to_string()
                .starts_with("requirements.txt: numpy cannot be installed")
        );
    }

    #[test]
    fn order_does_not_change_the_key() {
        let lines = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(key(&lines(&["a", "b"])), key(&lines(&["b", "a"])));
        assert_ne!(key(&lines(&["a"])), key(&lines(&["a", "b"])));
    }
}
