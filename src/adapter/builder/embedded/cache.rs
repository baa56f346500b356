//! What builds keep to save time, bounded.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::usage::tree_size;

/// How long installed requirements are used: without a pinned version, a newer one is taken after this.
const REQUIREMENTS_AGE: Duration = Duration::from_hours(7 * 24);
/// Bytes of the type check's cache at most. Each module name of any source adds to it.
const TYPES_SIZE: u64 = 256 * 1024 * 1024;

/// Drops what is old or has grown too large; all of it can be made again.
pub(super) fn prune(cache_dir: &Path) {
    let types = cache_dir.join("mypy");
    if tree_size(&types).0 > TYPES_SIZE {
        remove(&types);
    }
    let requirements = fs::read_dir(cache_dir.join("requirements"));
    for entry in requirements.into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|found| found.modified());
        let age = modified
            .ok()
            .and_then(|time| SystemTime::now().duration_since(time).ok());
        if age.is_none_or(|age| age > REQUIREMENTS_AGE) {
            remove(&entry.path());
        }
    }
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder) {
        tracing::warn!(%error, path = %folder.display(), "a cache could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::prune;
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    #[test]
    fn old_requirements_are_dropped_and_fresh_ones_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let (old, fresh) = (
            dir.path().join("requirements/old"),
            dir.path().join("requirements/fresh"),
        );
        for folder in [&old, &fresh] {
            fs::create_dir_all(folder).expect("made");
        }
        let past = SystemTime::now() - Duration::from_hours(8 * 24);
        File::open(&old)
            .and_then(|folder| folder.set_modified(past))
            .expect("set");
        prune(dir.path());
        assert!(!old.exists() && fresh.exists());
    }
}
