//! Writing .zip archives.

use bytes::Bytes;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

use super::Files;
use crate::model::error::Result;
use crate::service::table::internal;

/// The files as an archive. The same files give the same bytes.
pub(super) async fn pack(files: Files) -> Result<Bytes> {
    let packed = tokio::task::spawn_blocking(move || write(&files)).await;
    packed
        .map_err(|cause| internal("EXPORT_ERROR", cause))?
        .map_err(|cause| internal("EXPORT_ERROR", cause))
}

fn write(files: &Files) -> zip::result::ZipResult<Bytes> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (path, content) in files {
        writer.start_file(path.as_str(), options)?;
        writer.write_all(content)?;
    }
    Ok(writer.finish()?.into_inner().into())
}
