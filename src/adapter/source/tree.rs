//! What was uploaded, as a bounded tree of files with its entry.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

use super::archive::{self, Limits};
use super::python::Module;
use super::{diagnose, handler, manifest, requirements};
use crate::model::source::{MAX_CODE, SourceKind, SourceSummary};
use crate::port::builder::{BuildError, RawSource, SourceTree};

/// The file of a source that is one module, whatever its name was.
const SINGLE: &str = "app.py";

/// Reads a source without running any of it. Blocks: an archive is inflated.
pub(crate) fn read(
    raw: RawSource,
    limits: Limits,
) -> Result<(SourceTree, SourceSummary), BuildError> {
    match raw {
        RawSource::File { name, content } => read_file(&name, content),
        RawSource::Package { archive } => read_package(archive::read(&archive, limits)?),
        RawSource::Files { files } => read_package(archive::check(files, limits)?),
    }
}

fn refused(message: impl Into<String>) -> BuildError {
    BuildError::Source {
        message: message.into(),
        diagnostics: Vec::new(),
    }
}

fn read_file(name: &str, content: Bytes) -> Result<(SourceTree, SourceSummary), BuildError> {
    if !name.to_ascii_lowercase().ends_with(".py") {
        return Err(refused("Upload a Python file (.py) or a package (.zip)."));
    }
    if content.len() > MAX_CODE {
        return Err(BuildError::LimitReached(format!(
            "The file is larger than {} KiB. Split it into a .zip of several modules.",
            MAX_CODE / 1024
        )));
    }
    if let Err(found) = diagnose::text(SINGLE, &content) {
        return Err(BuildError::Source {
            message: found.to_string(),
            diagnostics: vec![found],
        });
    }
    let summary = SourceSummary {
        kind: SourceKind::File,
        sha256: hex(&Sha256::digest(&content)),
        size: content.len() as u64,
        files: 1,
    };
    let files = BTreeMap::from([(SINGLE.to_owned(), content)]);
    let tree = SourceTree {
        kind: SourceKind::File,
        files,
        entry: SINGLE.to_owned(),
        manifest: None,
        requirements: Vec::new(),
    };
    Ok((tree, summary))
}

fn read_package(files: BTreeMap<String, Bytes>) -> Result<(SourceTree, SourceSummary), BuildError> {
    let manifest = files
        .get(manifest::FILE)
        .map(|content| manifest::read(content))
        .transpose()?;
    let requirements = files
        .get(requirements::FILE)
        .map(|content| requirements::read(content))
        .transpose()?
        .unwrap_or_default();
    let entry = match &manifest {
        Some(manifest::Manifest {
            module: Some(module),
            ..
        }) => entry_of_module(&files, module)?,
        _ => entry_by_handler(&files, manifest.is_some())?,
    };
    let summary = SourceSummary {
        kind: SourceKind::Package,
        sha256: hash(&files),
        size: files.values().map(|content| content.len() as u64).sum(),
        files: u32::try_from(files.len()).unwrap_or(u32::MAX),
    };
    let tree = SourceTree {
        kind: SourceKind::Package,
        files,
        entry,
        manifest: manifest.map(|manifest| manifest.spin),
        requirements,
    };
    Ok((tree, summary))
}

/// The file of the module that `spin.toml` names.
fn entry_of_module(files: &BTreeMap<String, Bytes>, module: &str) -> Result<String, BuildError> {
    let path = format!("{}.py", module.replace('.', "/"));
    if files.contains_key(&path) {
        Ok(path)
    } else {
        Err(refused(format!(
            "{} builds the module '{module}', but there is no {path} in the archive. Add the file, or correct the build command.",
            manifest::FILE
        )))
    }
}

/// The one top-level module that defines a handler.
fn entry_by_handler(
    files: &BTreeMap<String, Bytes>,
    has_manifest: bool,
) -> Result<String, BuildError> {
    let top: Vec<&String> = files
        .keys()
        .filter(|path| !path.contains('/') && diagnose::is_python(path))
        .collect();
    let defines = |path: &&&String| {
        let text = files
            .get(**path)
            .and_then(|content| std::str::from_utf8(content).ok());
        text.is_some_and(|text| {
            Module::parse(path, text).is_ok_and(|module| handler::find(&module).is_some())
        })
    };
    let candidates: Vec<&&String> = top.iter().filter(defines).collect();
    if let [one] = candidates[..] {
        return Ok((*one).clone());
    }
    let what = if candidates.is_empty() {
        "no module at the top of the archive defines IncomingHandler. Define class IncomingHandler in app.py".to_owned()
    } else {
        let names = candidates
            .iter()
            .take(10)
            .map(|path| path.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        format!("several modules define IncomingHandler ({names}). Keep it in one of them")
    };
    if has_manifest {
        // The build says which class is missing and where.
        return match top.iter().find(|path| path.as_str() == SINGLE) {
            Some(path) if candidates.is_empty() => Ok((**path).clone()),
            _ => Err(refused(format!(
                "{} names no module to build, and {what}, or name the module in its build command.",
                manifest::FILE
            ))),
        };
    }
    Err(refused(format!(
        "{} not found in root directory, and {what}, or add a {} whose build command names the module.",
        manifest::FILE,
        manifest::FILE
    )))
}

/// Identifies a tree of files, whatever archive it came in.
pub(crate) fn hash(files: &BTreeMap<String, Bytes>) -> String {
    let mut hasher = Sha256::new();
    for (path, content) in files {
        for part in [path.as_bytes(), content] {
            // Lengths keep `ab` + `c` apart from `a` + `bc`.
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hex(&hasher.finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::super::archive::Limits;
    use super::super::archive::tests::zip;
    use super::read;
    use crate::model::source::SourceKind;
    use crate::port::builder::{BuildError, RawSource, SourceTree};
    use bytes::Bytes;

    const HANDLER: &[u8] = b"class IncomingHandler:\n    def handle(self, a, b): ...\n";
    const MANIFEST: &[u8] = b"spin_manifest_version = 2\n[component.a]\n";

    fn read_one(raw: RawSource) -> Result<SourceTree, BuildError> {
        read(
            raw,
            Limits {
                bytes: 1 << 20,
                files: 100,
            },
        )
        .map(|(tree, _)| tree)
    }

    fn package(files: &[(&str, &[u8])]) -> Result<SourceTree, BuildError> {
        read_one(RawSource::Package {
            archive: zip(files),
        })
    }

    #[test]
    fn a_file_of_any_name_becomes_the_entry() {
        let raw = RawSource::File {
            name: "My Function.PY".to_owned(),
            content: Bytes::from_static(HANDLER),
        };
        let (tree, summary) = read(raw, Limits { bytes: 1, files: 1 }).expect("sound");
        assert_eq!(
            (tree.entry.as_str(), tree.kind, summary.size, summary.files),
            ("app.py", SourceKind::File, HANDLER.len() as u64, 1)
        );
        assert_eq!(tree.files["app.py"], HANDLER);
    }

    #[test]
    fn other_files_are_refused() {
        for (name, content) in [
            ("app.txt", HANDLER),
            ("app.py", b"\xff"),
            ("app.py", &vec![b' '; (1 << 20) + 1][..]),
        ] {
            let raw = RawSource::File {
                name: name.to_owned(),
                content: Bytes::copy_from_slice(content),
            };
            assert!(read_one(raw).is_err());
        }
    }

    #[test]
    fn the_entry_is_what_the_manifest_names_or_the_one_handler() {
        let command = b"spin_manifest_version = 2\n[component.a.build]\ncommand = \"componentize-py -w spin-http componentize src.main -o app.wasm\"\n";
        for (files, entry) in [
            (
                &[
                    ("spin.toml", &command[..]),
                    ("src/main.py", HANDLER),
                    ("app.py", HANDLER),
                ][..],
                "src/main.py",
            ),
            (&[("main.py", HANDLER), ("other.py", b"x = 1\n")], "main.py"),
            (&[("spin.toml", MANIFEST), ("main.py", HANDLER)], "main.py"),
            (&[("spin.toml", MANIFEST), ("app.py", b"x = 1\n")], "app.py"),
            (
                &[
                    ("wrapped/service.py", HANDLER),
                    ("wrapped/pkg/app.py", HANDLER),
                ],
                "service.py",
            ),
        ] {
            assert_eq!(package(files).expect("sound").entry, entry);
        }
    }

    #[test]
    fn an_unclear_entry_is_refused_with_what_to_do() {
        for (files, words) in [
            (&[("app.py", &b"x = 1\n"[..])][..], "spin.toml not found in root directory"),
            (&[("a.py", HANDLER), ("b.py", HANDLER)], "(a.py, b.py)"),
            (&[("readme.md", b"hello")], "spin.toml not found in root directory"),
            (&[("spin.toml", b"spin_manifest_version = 2\n[component.a.build]\ncommand = \"x componentize gone\"\n"), ("app.py", HANDLER)], "no gone.py"),
        ] {
            let text = package(files).expect_err("unclear").to_string();
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn the_same_files_have_the_same_hash_and_others_another() {
        let summary = |files: &[(&str, &[u8])]| {
            read(
                RawSource::Package {
                    archive: zip(files),
                },
                Limits {
                    bytes: 1 << 20,
                    files: 9,
                },
            )
            .expect("sound")
            .1
            .sha256
        };
        let one = summary(&[("app.py", HANDLER), ("b.py", b"1")]);
        assert_eq!(one, summary(&[("b.py", b"1"), ("app.py", HANDLER)]));
        assert_ne!(one, summary(&[("app.py", HANDLER), ("b.p", b"y1")]));
        assert_ne!(one, summary(&[("app.py", HANDLER), ("b.py", b"2")]));
    }
}
