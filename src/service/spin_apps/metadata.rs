//! `blue-faas.toml`: what Spin does not know of a function, so that an import gives the same one.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::Files;
use crate::model::error::{Error, Result};
use crate::model::function::{HttpMethods, InstanceReuse, Memory, Timeout};
use crate::model::source::SourceKind;
use crate::model::workspace::{Description, Name};
use crate::service::functions::FunctionRecord;
use crate::service::functions::record::sha256_hex;
use crate::service::table::internal;

pub(super) const FILE: &str = "blue-faas.toml";
/// Changes when an older server could not read what is written.
const FORMAT: u32 = 1;
const INTRODUCTION: &str = "# What Spin does not know of this function. An import into Blue FaaS reads it; Spin does not.\n\n";
/// Where files of the source lie whose places are taken by generated ones.
const KEPT: &str = ".blue-faas/source/";
/// Its own folder: nothing of the source may look like it.
const OWN: &str = ".blue-faas";

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Metadata {
    format: u32,
    pub(super) function: FunctionMetadata,
    /// SHA-256 of what the export added, by path: an import leaves it out as long as nobody changed it.
    #[serde(default)]
    generated: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FunctionMetadata {
    pub(super) name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Description>,
    pub(super) kind: SourceKind,
    #[serde(default)]
    pub(super) memory: Memory,
    #[serde(default)]
    pub(super) timeout: Timeout,
    #[serde(default)]
    pub(super) http_methods: HttpMethods,
    #[serde(default)]
    pub(super) instance_reuse: InstanceReuse,
    #[serde(default)]
    pub(super) deploy_on_save: bool,
    /// Names of the environment; values stand in `spin.toml`, if anywhere.
    #[serde(default)]
    pub(super) environment: Vec<String>,
}

/// Lays generated files, a source and the metadata beside each other. A file of the source whose place is taken lies in a folder of its own.
pub(super) fn join(record: &FunctionRecord, generated: Files, source: Files) -> Result<Files> {
    let metadata = Metadata {
        format: FORMAT,
        function: FunctionMetadata {
            name: record.name.clone(),
            description: record.description.clone(),
            kind: record.source_summary().kind,
            memory: record.memory,
            timeout: record.timeout,
            http_methods: record.http_methods.clone(),
            instance_reuse: record.instance_reuse,
            deploy_on_save: record.deploy_on_save,
            environment: record
                .environment_variables
                .iter()
                .map(|(name, _)| name.to_owned())
                .collect(),
        },
        generated: generated
            .iter()
            .map(|(path, content)| (path.clone(), sha256_hex(content)))
            .collect(),
    };
    let text =
        toml::to_string_pretty(&metadata).map_err(|cause| internal("EXPORT_ERROR", cause))?;
    let mut files = generated;
    files.insert(
        FILE.to_owned(),
        Bytes::from(format!("{INTRODUCTION}{text}")),
    );
    for (path, content) in source {
        let path = if files.contains_key(&path) || path.starts_with(OWN) {
            format!("{KEPT}{path}")
        } else {
            path
        };
        files.insert(path, content);
    }
    Ok(files)
}

impl Metadata {
    pub(super) fn read(content: &[u8]) -> Result<Self> {
        let refused = |reason: &str| {
            Error::validation(
                "file",
                format!(
                    "{FILE} cannot be read: {reason}. Correct it, or leave it out to import a plain Spin app."
                ),
            )
        };
        let text = std::str::from_utf8(content).map_err(|_| refused("it is not UTF-8 text"))?;
        let metadata: Self =
            toml::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
                let before = error.span().map_or(0, |span| span.start);
                let line = text.as_bytes()[..before.min(text.len())]
                    .split(|byte| *byte == b'\n')
                    .count();
                let message = error.message().trim_end_matches('.').replace('\n', " ");
                refused(&format!("line {line}: {message}"))
            })?;
        if metadata.format == FORMAT {
            Ok(metadata)
        } else {
            Err(refused(&format!(
                "its format is {}, and this server knows {FORMAT}",
                metadata.format
            )))
        }
    }

    /// The source as it was before the export: what was generated and not changed since makes place for what was there.
    pub(super) fn restore(&self, mut files: Files) -> Files {
        let kept: Vec<String> = files
            .keys()
            .filter(|path| path.starts_with(KEPT))
            .cloned()
            .collect();
        let mut source = Files::new();
        for path in kept {
            if let Some(content) = files.remove(&path) {
                source.insert(path[KEPT.len()..].to_owned(), content);
            }
        }
        for (path, sha256) in &self.generated {
            if files
                .get(path)
                .is_some_and(|content| sha256_hex(content) == *sha256)
            {
                files.remove(path);
            }
        }
        // A generated file that somebody changed is theirs now.
        source.extend(files);
        source
    }

    /// Whether a file stands in the place of a generated one.
    pub(super) fn is_generated(&self, path: &str) -> bool {
        self.generated.contains_key(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> Files {
        pairs
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Bytes::copy_from_slice(text.as_bytes())))
            .collect()
    }

    fn record() -> FunctionRecord {
        serde_json::from_value(serde_json::json!({
            "id": "fn-1", "workspaceId": "ws-1", "name": "승인 \"1\"", "lastModified": "2025-12-07T12:00:00+09:00",
            "memory": 512, "timeout": 7, "httpMethods": ["POST"], "environmentVariables": {"A": "secret"}, "deployOnSave": true
        }))
        .expect("a record")
    }

    #[test]
    fn what_was_joined_is_restored() {
        let source = files(&[
            ("app.py", "x"),
            ("spin.toml", "their own"),
            (FILE, "an earlier export's"),
            (".blue-faas/source/spin.toml", "an earlier export's"),
            (".blue-faas", "a file"),
        ]);
        let generated = files(&[("spin.toml", "ours"), ("README.md", "ours")]);
        let mut joined = join(&record(), generated, source.clone()).expect("files");
        assert_eq!(joined["spin.toml"], "ours");
        let text = joined.remove(FILE).expect("metadata");
        assert!(!String::from_utf8_lossy(&text).contains("secret"));
        let metadata = Metadata::read(&text).expect("sound");
        assert_eq!(metadata.function.name.as_str(), "승인 \"1\"");
        assert_eq!(metadata.function.memory.megabytes(), 512);
        assert!(metadata.function.deploy_on_save);
        assert_eq!(metadata.restore(joined), source);
    }

    #[test]
    fn a_generated_file_that_was_changed_stays() {
        let generated = files(&[("spin.toml", "ours"), ("README.md", "ours")]);
        let source = files(&[("app.py", "x"), ("spin.toml", "their own")]);
        let mut joined = join(&record(), generated, source).expect("files");
        joined.insert("spin.toml".to_owned(), Bytes::from_static(b"changed"));
        let metadata = Metadata::read(&joined.remove(FILE).expect("metadata")).expect("sound");
        let restored = metadata.restore(joined);
        assert_eq!(
            restored,
            files(&[("app.py", "x"), ("spin.toml", "changed")])
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_line() {
        for (text, words) in [
            ("format = 1\n", "line 1"),
            (
                "format = 1\n[function]\nname = \"a\"\nkind = \"file\"\nmemory = 5\n",
                "memory between",
            ),
            (
                "format = 2\n[function]\nname = \"a\"\nkind = \"file\"\n",
                "its format is 2",
            ),
            ("\u{0}", "line 1"),
        ] {
            let error = Metadata::read(text.as_bytes()).expect_err(text);
            assert_eq!(error.field.as_deref(), Some("file"));
            assert!(error.message.contains(words), "{error}");
        }
    }
}
