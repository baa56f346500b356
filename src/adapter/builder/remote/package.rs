//! A source as the one file that is uploaded.

use bytes::Bytes;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

use crate::model::source::SourceKind;
use crate::port::builder::{BuildError, SourceTree};

const NAME: &str = "source.zip";

/// Its name and content: a module as it is, a package as an archive without a folder around it.
pub(super) async fn of(tree: &SourceTree) -> Result<(String, Bytes), BuildError> {
    let failed = |cause: &dyn std::fmt::Display| {
        BuildError::Failed(format!("the source could not be packed: {cause}"))
    };
    if tree.kind == SourceKind::File
        && let Some(content) = tree.files.get(&tree.entry)
    {
        return Ok((tree.entry.clone(), content.clone()));
    }
    let files = tree.files.clone();
    let packed = tokio::task::spawn_blocking(move || {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, content) in &files {
            archive.start_file(path.as_str(), SimpleFileOptions::default())?;
            archive.write_all(content)?;
        }
        Ok::<_, zip::result::ZipError>(archive.finish()?.into_inner())
    });
    let packed = packed.await.map_err(|cause| failed(&cause))?;
    let packed = packed.map_err(|cause| failed(&cause))?;
    Ok((NAME.to_owned(), Bytes::from(packed)))
}
