//! Where a function's source is kept: small code in the item, larger code and archives in the blobs.

use bytes::Bytes;
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

use super::Functions;
use super::record::{FunctionRecord, MAX_INLINE_CODE, sha256_hex};
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::function::{Code, Environment, OutboundHost};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::source::{SourceKind, SourceSummary};
use crate::port::blobs::BlobError;
use crate::port::builder::{BuildError, RawSource, SourceTree, SpinManifest};
use crate::service::actor::Actor;
use crate::service::table::blob_error;

/// A file as it was uploaded.
#[derive(Clone, Debug)]
pub struct SourceUpload {
    pub file_name: String,
    pub content: Bytes,
}

impl SourceUpload {
    pub fn is_package(&self) -> bool {
        std::path::Path::new(&self.file_name)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
    }

    /// Told apart by the file's name.
    pub fn raw(&self) -> Result<RawSource> {
        let is_python = std::path::Path::new(&self.file_name)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("py"));
        if self.is_package() {
            Ok(RawSource::Package {
                archive: self.content.clone(),
            })
        } else if is_python {
            Ok(RawSource::File {
                name: self.file_name.clone(),
                content: self.content.clone(),
            })
        } else {
            Err(Error::validation(
                "file",
                "Upload a .py file or a .zip archive.",
            ))
        }
    }
}

pub(super) fn code_prefix(workspace: &WorkspaceId, function: &FunctionId) -> String {
    format!("code/{workspace}/{function}/")
}

pub(super) fn upload_error(error: &BuildError) -> Error {
    match error {
        BuildError::Source { message, .. } => Error::validation("file", message.clone()),
        BuildError::LimitReached(message) => {
            Error::new(ErrorKind::PayloadTooLarge, message.clone()).with_field("file")
        }
        BuildError::Unavailable(message) => unavailable(message),
        BuildError::Cancelled | BuildError::Registry(_) | BuildError::Failed(_) => {
            crate::service::table::internal("SOURCE_ERROR", error)
        }
    }
}

fn draft_error(error: &BuildError) -> Error {
    match error {
        BuildError::Source { message, .. } | BuildError::LimitReached(message) => {
            Error::validation("code", message.clone())
        }
        BuildError::Unavailable(message) => unavailable(message),
        BuildError::Cancelled | BuildError::Registry(_) | BuildError::Failed(_) => {
            crate::service::table::internal("DRAFT_ERROR", error)
        }
    }
}

fn unavailable(message: &str) -> Error {
    Error::new(ErrorKind::Upstream, message).with_operation("BUILDER_ERROR")
}

/// What a package's `spin.toml` says about its settings becomes the function's.
pub(super) fn apply_manifest(record: &mut FunctionRecord, manifest: &SpinManifest) -> Result<()> {
    record.allowed_outbound_hosts = manifest_hosts(manifest)?;
    if !manifest.environment.is_empty() {
        record.environment_variables = manifest_environment(manifest.environment.clone())?;
    }
    Ok(())
}

pub(in crate::service) fn manifest_hosts(manifest: &SpinManifest) -> Result<Vec<OutboundHost>> {
    let hosts = manifest.allowed_outbound_hosts.iter();
    hosts
        .map(|host| OutboundHost::parse(host))
        .collect::<Result<_>>()
        .map_err(in_manifest)
}

pub(in crate::service) fn manifest_environment(
    variables: BTreeMap<String, String>,
) -> Result<Environment> {
    Environment::parse(variables).map_err(in_manifest)
}

/// What was sent is a file, not the setting that is wrong in it.
fn in_manifest(error: Error) -> Error {
    Error {
        message: format!("spin.toml: {}", error.message),
        ..error
    }
    .with_field("file")
}

/// An uploaded module as the one that is edited in place.
pub(in crate::service) fn entry_code(content: Option<&Bytes>) -> Result<Code> {
    let content = content.map(|content| content.to_vec()).unwrap_or_default();
    let python = String::from_utf8(content).map_err(|_| {
        Error::validation(
            "file",
            "The entry module is not UTF-8. Save it as UTF-8 and upload again.",
        )
    })?;
    Code::parse(python).map_err(|error| error.with_field("file"))
}

/// What is run as a draft, in place of what is saved.
#[derive(Clone, Debug)]
pub enum Draft {
    /// The module that is edited; a package keeps its other files.
    Code(Code),
    /// A whole package.
    Files(BTreeMap<String, Bytes>),
}

impl Functions {
    pub(in crate::service) async fn draft_tree(
        &self,
        record: &FunctionRecord,
        draft: Draft,
    ) -> Result<SourceTree> {
        let archive = match (&record.archive_key, &record.archive_sha256) {
            (Some(key), Some(sha256)) => Some(
                self.blobs
                    .get(key, Some(sha256))
                    .await
                    .map_err(blob_error)?,
            ),
            _ => None,
        };
        let (raw, entry) = match (draft, archive) {
            (Draft::Files(files), _) => (RawSource::Files { files }, None),
            (Draft::Code(code), Some(archive)) => (RawSource::Package { archive }, Some(code)),
            (Draft::Code(code), None) => {
                let (name, content) = ("app.py".to_owned(), code.python().to_owned().into());
                (RawSource::File { name, content }, None)
            }
        };
        let (mut tree, _) = self
            .builder
            .read_source(raw)
            .await
            .map_err(|error| draft_error(&error))?;
        if let Some(code) = entry {
            tree.files
                .insert(tree.entry.clone(), code.python().to_owned().into());
        }
        Ok(tree)
    }

    /// The files of an uploaded archive, bounded.
    pub(in crate::service) async fn unpack(
        &self,
        archive: Bytes,
    ) -> Result<BTreeMap<String, Bytes>> {
        self.builder
            .unpack(archive)
            .await
            .map_err(|error| upload_error(&error))
    }

    /// Files as the package that they are.
    pub(in crate::service) async fn read_files(
        &self,
        files: BTreeMap<String, Bytes>,
    ) -> Result<(SourceTree, SourceSummary)> {
        self.builder
            .read_source(RawSource::Files { files })
            .await
            .map_err(|error| upload_error(&error))
    }

    /// The saved source: every file, the entry with the edits since the upload.
    pub(in crate::service) async fn saved_tree(
        &self,
        record: &FunctionRecord,
    ) -> Result<SourceTree> {
        let code = self.code(record).await?;
        self.draft_tree(record, Draft::Code(code)).await
    }

    /// A draft as a program; nothing of it is kept.
    pub(in crate::service) async fn draft_program(&self, tree: SourceTree) -> Result<Bytes> {
        let cancel = CancellationToken::new();
        // A caller who goes away takes the work along.
        let _guard = cancel.clone().drop_guard();
        self.builder
            .draft(tree, &cancel)
            .await
            .map_err(|error| draft_error(&error))
    }

    /// Puts code in its place, the object before the record that names it.
    pub(super) async fn store_code(&self, record: &mut FunctionRecord, code: &Code) -> Result<()> {
        let content = code.python().as_bytes();
        let sha256 = sha256_hex(content);
        if content.len() <= MAX_INLINE_CODE {
            record.code = Some(code.clone());
            record.code_key = None;
        } else {
            let key = format!(
                "{}{sha256}.py",
                code_prefix(&record.workspace_id, &record.id)
            );
            self.blobs
                .put(&key, Bytes::copy_from_slice(content), Some(&sha256))
                .await
                .map_err(blob_error)?;
            record.code = None;
            record.code_key = Some(key);
        }
        record.source = Some(match (&record.source, &record.archive_sha256) {
            (Some(source), Some(archive)) => SourceSummary {
                sha256: sha256_hex(format!("{archive}:{sha256}").as_bytes()),
                ..source.clone()
            },
            _ => SourceSummary {
                kind: SourceKind::File,
                sha256: sha256.clone(),
                size: content.len() as u64,
                files: 1,
            },
        });
        record.code_sha256 = Some(sha256);
        Ok(())
    }

    pub(super) async fn store_upload(
        &self,
        record: &mut FunctionRecord,
        upload: &SourceUpload,
        summary: &SourceSummary,
        entry: Option<&Bytes>,
    ) -> Result<()> {
        let code = entry_code(entry)?;
        record.archive_key = None;
        record.archive_sha256 = None;
        record.source = None;
        if upload.is_package() {
            self.store_archive(record, &upload.content, summary).await?;
        }
        self.store_code(record, &code).await
    }

    pub(super) async fn store_archive(
        &self,
        record: &mut FunctionRecord,
        archive: &Bytes,
        summary: &SourceSummary,
    ) -> Result<()> {
        let sha256 = sha256_hex(archive);
        let key = format!(
            "{}{sha256}.zip",
            code_prefix(&record.workspace_id, &record.id)
        );
        self.blobs
            .put(&key, archive.clone(), Some(&sha256))
            .await
            .map_err(blob_error)?;
        record.archive_key = Some(key);
        record.archive_sha256 = Some(sha256);
        record.source = Some(summary.clone());
        Ok(())
    }

    pub(super) async fn copy_source(
        &self,
        original: &FunctionRecord,
        copy: &mut FunctionRecord,
        code: &Code,
    ) -> Result<()> {
        if let (Some(key), Some(sha256)) = (&original.archive_key, &original.archive_sha256) {
            let archive = self
                .blobs
                .get(key, Some(sha256))
                .await
                .map_err(blob_error)?;
            let copied = format!("{}{sha256}.zip", code_prefix(&copy.workspace_id, &copy.id));
            self.blobs
                .put(&copied, archive, Some(sha256))
                .await
                .map_err(blob_error)?;
            copy.archive_key = Some(copied);
        }
        self.store_code(copy, code).await
    }

    /// The module that is edited in place: the only one, or a package's entry.
    pub(in crate::service) async fn code(&self, record: &FunctionRecord) -> Result<Code> {
        match (&record.code, &record.code_key) {
            (Some(code), _) => Ok(code.clone()),
            (None, Some(key)) => {
                let content = match self.blobs.get(key, record.code_sha256.as_deref()).await {
                    // A function of the first system may have none.
                    Err(BlobError::Missing(_)) if record.code_sha256.is_none() => Bytes::new(),
                    content => content.map_err(blob_error)?,
                };
                Code::parse(String::from_utf8_lossy(&content).into_owned())
            }
            (None, None) => Code::parse(""),
        }
    }

    /// The saved source as a file: its name, media type and content. A package comes as it was uploaded.
    pub async fn download(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<(&'static str, &'static str, Bytes)> {
        let record = self.record(workspace, id).await?;
        if let Some(key) = &record.archive_key {
            let archive = self
                .blobs
                .get(key, record.archive_sha256.as_deref())
                .await
                .map_err(blob_error)?;
            return Ok(("source.zip", "application/zip", archive));
        }
        let code = self.code(&record).await?;
        Ok((
            "app.py",
            "text/x-python; charset=utf-8",
            Bytes::copy_from_slice(code.python().as_bytes()),
        ))
    }
}
