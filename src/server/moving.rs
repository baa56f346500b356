//! `blue-faas export` and `blue-faas import`: between the store and blobs that the settings name and an archive.

use std::io::Write as _;
use std::path::Path;

use super::compose::storage;
use super::config::Config;
use crate::service::actor::Actor;
use crate::service::moving;

/// The error is one line for whoever asked.
pub fn export(config: &Config, file: &Path) -> Result<(), String> {
    block_on(async {
        let store = storage::open_store(config).await?;
        let blobs = storage::open_blobs(config).await?;
        let exported = moving::export(&Actor::system(), &*store, &*blobs, file).await;
        let exported = exported.map_err(|error| format!("export: {error}"))?;
        say(&format!(
            "{}: {} items, {} objects of {} bytes. It holds the environments of functions, secrets included: keep it as you keep those.",
            file.display(),
            exported.items,
            exported.objects,
            exported.bytes
        ));
        Ok(())
    })
}

/// The error is one line for whoever asked.
pub fn import(config: &Config, file: &Path, merge: bool) -> Result<(), String> {
    block_on(async {
        let store = storage::open_store(config).await?;
        let blobs = storage::open_blobs(config).await?;
        let imported = moving::import(&Actor::system(), &*store, &*blobs, file, merge).await;
        let imported = imported.map_err(|error| format!("import: {error}"))?;
        say(&format!(
            "{}: {} items and {} objects are new; {} items and {} objects were there.",
            file.display(),
            imported.items,
            imported.objects,
            imported.same + imported.kept,
            imported.objects_there
        ));
        if imported.kept > 0 {
            say(&format!(
                "{} of the items that were there differ from the archive's, and stayed as they are.",
                imported.kept
            ));
        }
        Ok(())
    })
}

fn block_on(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    tokio::runtime::Runtime::new()
        .map_err(|cause| format!("the runtime could not be started: {cause}"))?
        .block_on(work)
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
