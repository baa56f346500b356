//! What processes and folders use, read from `/proc` and the file system.

use std::fs;
use std::path::{Path, PathBuf};

/// Processes of this machine: number and folder in `/proc`. Empty where there is none.
fn processes() -> impl Iterator<Item = (i32, PathBuf)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
}

/// Resident bytes of a process group; 0 when it has ended.
pub(super) fn group_memory(group: i32) -> u64 {
    processes()
        .filter(|(_, path)| process_group(path) == Some(group))
        .map(|(_, path)| resident(&path))
        .sum()
}

fn process_group(path: &Path) -> Option<i32> {
    let stat = fs::read_to_string(path.join("stat")).ok()?;
    // The name in parentheses may hold anything, also parentheses and spaces.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(2)?.parse().ok()
}

fn resident(path: &Path) -> u64 {
    let status = fs::read_to_string(path.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

/// Processes whose working folder is this one or below it.
pub(super) fn processes_in(folder: &Path) -> Vec<i32> {
    let Ok(folder) = folder.canonicalize() else {
        return Vec::new();
    };
    processes()
        .filter(|(_, path)| {
            fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&folder))
        })
        .map(|(pid, _)| pid)
        .collect()
}

/// Bytes and files below a folder; links are not followed, and what vanishes meanwhile is not counted.
pub(super) fn tree_size(folder: &Path) -> (u64, usize) {
    let mut bytes = 0;
    let mut files = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            files += 1;
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) => bytes += found.len(),
                Err(_) => {}
            }
        }
    }
    (bytes, files)
}

/// Copies a tree of plain files and folders; links are left out, and so is what `keep` (given a file's name) refuses.
pub(super) fn copy_tree(
    from: &Path,
    to: &Path,
    keep: &dyn Fn(&str) -> bool,
) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_str().is_some_and(keep) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&entry.path(), &to.join(&name), keep)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}
