//! Uploaded .zip archives: hostile until read. Nothing is extracted to disk, and no size in a header is believed.

mod paths;

use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use zip::ZipArchive;

use self::paths::{check_folders, is_ignored, plain_path, strip_wrapping_folder};
use crate::port::builder::BuildError;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of all files, inflated.
    pub(crate) bytes: u64,
    pub(crate) files: usize,
}

/// Reads every file that is part of a source. Fails with [`BuildError::Source`], or [`BuildError::LimitReached`] when it is too large.
pub(crate) fn read(archive: &Bytes, limits: Limits) -> Result<BTreeMap<String, Bytes>, BuildError> {
    // The directory is parsed whole into memory, so its length is looked at first.
    if let Some(entries) = promised_entries(archive)
        && entries > limits.files
    {
        return Err(too_many(limits.files));
    }
    let mut zip = ZipArchive::new(Cursor::new(archive.clone())).map_err(|_| {
        refused("is not a .zip that can be read; pack the files again as a plain .zip")
    })?;
    if zip.len() > limits.files {
        return Err(too_many(limits.files));
    }
    let listed = listed_entries(archive, zip.central_directory_start());
    if listed != zip.len() {
        return Err(refused("names a file twice; pack it again"));
    }
    if zip
        .has_overlapping_entries()
        .map_err(|_| refused("is damaged; pack it again"))?
    {
        return Err(refused("has entries that overlap; pack it again"));
    }
    let mut files = BTreeMap::new();
    let mut left = limits.bytes;
    for index in 0..zip.len() {
        let Some((path, content)) = read_entry(&mut zip, index, limits, &mut left)? else {
            continue;
        };
        if files.insert(path.clone(), content).is_some() {
            return Err(refused(format!("names {path} twice; pack it again")));
        }
    }
    check_folders(&files)?;
    Ok(strip_wrapping_folder(files))
}

/// Files that came by themselves, bounded as those of an archive are.
pub(crate) fn check(
    files: BTreeMap<String, Bytes>,
    limits: Limits,
) -> Result<BTreeMap<String, Bytes>, BuildError> {
    if files.len() > limits.files {
        return Err(too_many(limits.files));
    }
    let bytes: u64 = files.values().map(|content| content.len() as u64).sum();
    if bytes > limits.bytes {
        return Err(too_large(limits.bytes));
    }
    let is_plain = |path: &&String| plain_path(path.as_bytes()).as_ref() == Some(*path);
    if let Some(path) = files.keys().find(|path| !is_plain(path)) {
        let name: String = path.chars().take(80).collect();
        return Err(refused(format!(
            "has a path that is not allowed ({name}); use relative paths of plain names"
        )));
    }
    check_folders(&files)?;
    Ok(files)
}

fn read_entry(
    zip: &mut ZipArchive<Cursor<Bytes>>,
    index: usize,
    limits: Limits,
    left: &mut u64,
) -> Result<Option<(String, Bytes)>, BuildError> {
    let raw = zip
        .by_index_raw(index)
        .map_err(|_| refused("is damaged; pack it again"))?;
    let name = String::from_utf8_lossy(raw.name_raw())
        .chars()
        .take(80)
        .collect::<String>();
    if raw.encrypted() {
        return Err(refused(format!(
            "is encrypted ({name}); pack it without a password"
        )));
    }
    if raw.is_symlink() || raw.unix_mode().is_some_and(is_special) {
        return Err(refused(format!(
            "holds a link or a device ({name}); pack plain files only"
        )));
    }
    let path = plain_path(raw.name_raw()).ok_or_else(|| {
        refused(format!(
            "has a path that is not allowed ({name}); use relative paths of plain names"
        ))
    })?;
    if raw.enclosed_name().is_none() {
        return Err(refused(format!(
            "has a path that leaves it ({name}); use relative paths"
        )));
    }
    let is_dir = raw.is_dir();
    drop(raw);
    if is_dir || is_ignored(&path) {
        return Ok(None);
    }
    let mut entry = zip.by_index(index).map_err(|_| {
        refused(format!(
            "holds {name} in a way that cannot be read; pack it again with ordinary compression"
        ))
    })?;
    let mut content = Vec::new();
    let read = (&mut entry)
        .take(*left + 1)
        .read_to_end(&mut content)
        .map_err(|_| refused(format!("is damaged at {name}; pack it again")))?;
    *left = left
        .checked_sub(read as u64)
        .ok_or_else(|| too_large(limits.bytes))?;
    Ok(Some((path, content.into())))
}

/// Links, devices, pipes and sockets.
fn is_special(mode: u32) -> bool {
    !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000)
}

/// Entries as the end of the archive promises them; `None` when there is no such record.
fn promised_entries(archive: &[u8]) -> Option<usize> {
    const RECORD: usize = 22;
    let window = archive.len().saturating_sub(RECORD + usize::from(u16::MAX));
    let start = archive[window..]
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x05\x06")?
        + window;
    let count = archive.get(start + 10..start + 12)?;
    Some(usize::from(u16::from_le_bytes([count[0], count[1]])))
}

/// Headers that really stand in the central directory: a reader keeps one of those with the same name.
fn listed_entries(archive: &[u8], start: u64) -> usize {
    let mut at = usize::try_from(start).unwrap_or(usize::MAX);
    let mut count = 0;
    while let Some(header) = archive.get(at..).and_then(|rest| rest.get(..46))
        && header.starts_with(b"PK\x01\x02")
    {
        let length =
            |from: usize| usize::from(u16::from_le_bytes([header[from], header[from + 1]]));
        at += 46 + length(28) + length(30) + length(32);
        count += 1;
    }
    count
}

fn refused(what: impl std::fmt::Display) -> BuildError {
    BuildError::Source {
        message: format!("The archive {what}."),
        diagnostics: Vec::new(),
    }
}

fn too_large(limit: u64) -> BuildError {
    BuildError::LimitReached(format!(
        "The archive holds more than {} MiB. Leave out what the function does not need.",
        limit / (1024 * 1024)
    ))
}

fn too_many(limit: usize) -> BuildError {
    BuildError::LimitReached(format!(
        "The archive holds more than {limit} files. Leave out what the function does not need."
    ))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Limits, read};
    use bytes::Bytes;
    use std::io::{Cursor, Write};
    use zip::write::SimpleFileOptions;

    const LIMITS: Limits = Limits {
        bytes: 1024 * 1024,
        files: 100,
    };

    pub(crate) fn zip(files: &[(&str, &[u8])]) -> Bytes {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, content) in files {
            writer
                .start_file(*path, SimpleFileOptions::default())
                .expect("started");
            writer.write_all(content).expect("written");
        }
        writer.finish().expect("finished").into_inner().into()
    }

    fn refusal(archive: &Bytes) -> String {
        read(archive, LIMITS)
            .expect_err("a hostile archive")
            .to_string()
    }

    /// The same archive with every occurrence of `from` replaced; both of one length, so that no offset moves.
    fn patched(archive: &Bytes, from: &[u8], to: &[u8]) -> Bytes {
        assert_eq!(from.len(), to.len());
        let mut bytes = archive.to_vec();
        let places: Vec<usize> = bytes
            .windows(from.len())
            .enumerate()
            .filter(|(_, window)| *window == from)
            .map(|(at, _)| at)
            .collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
        bytes.into()
    }

    #[test]
    fn a_wrapping_folder_and_rubbish_are_dropped() {
        let archive = zip(&[
            ("shop/app.py", b"a"),
            ("shop/pkg/x.py", b"b"),
            ("shop/__pycache__/app.pyc", b"c"),
            ("__MACOSX/shop/._app.py", b"d"),
            ("shop/app.wasm", b"e"),
        ]);
        let files = read(&archive, LIMITS).expect("sound");
        assert_eq!(files.keys().collect::<Vec<_>>(), ["app.py", "pkg/x.py"]);
    }

    #[test]
    fn a_package_folder_is_not_stripped() {
        let files =
            read(&zip(&[("pkg/__init__.py", b""), ("pkg/x.py", b"")]), LIMITS).expect("sound");
        assert!(files.contains_key("pkg/x.py"));
    }

    #[test]
    fn paths_that_leave_the_archive_are_refused() {
        let sound = zip(&[("aaaaaaaaa.py", b"x")]);
        for name in [
            "../../aa.py",
            "/etc/aaa.py",
            "a/../../b.py",
            "..\\..\\a.py",
            "C:/aaaaa.py",
            "a//aaaaa.py",
            "aaa\0aaaa.py",
        ] {
            let padded = format!("{name:a<12}");
            let archive = patched(&sound, b"aaaaaaaaa.py", &padded.as_bytes()[..12]);
            assert!(refusal(&archive).contains("path"), "{name}");
        }
    }

    #[test]
    fn links_are_refused() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer
            .add_symlink("app.py", "/etc/passwd", SimpleFileOptions::default())
            .expect("added");
        assert!(refusal(&writer.finish().expect("finished").into_inner().into()).contains("link"));
    }

    #[test]
    fn encrypted_entries_are_refused() {
        let mut bytes = zip(&[("app.py", b"x")]).to_vec();
        let central = bytes
            .windows(4)
            .rposition(|window| window == b"PK\x01\x02")
            .expect("a directory");
        bytes[6] |= 1;
        bytes[central + 8] |= 1;
        assert!(refusal(&bytes.into()).contains("encrypted"));
    }

    #[test]
    fn the_same_name_twice_is_refused() {
        let archive = patched(
            &zip(&[("a1.py", b"x"), ("a2.py", b"y")]),
            b"a2.py",
            b"a1.py",
        );
        assert!(refusal(&archive).contains("twice"));
    }

    #[test]
    fn overlapping_entries_are_refused() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer
            .start_file("a.py", SimpleFileOptions::default())
            .expect("started");
        writer.write_all(b"x = 1\n").expect("written");
        writer.shallow_copy_file("a.py", "b.py").expect("copied");
        let text = refusal(&writer.finish().expect("finished").into_inner().into());
        assert!(
            text.contains("overlap") || text.contains("damaged"),
            "{text}"
        );
    }

    #[test]
    fn inflated_bytes_are_counted_whatever_the_header_says() {
        let bomb = zip(&[
            ("a.py", &vec![b' '; 800 * 1024]),
            ("b.py", &vec![b' '; 800 * 1024]),
        ]);
        assert!(bomb.len() < 10_000);
        assert!(refusal(&bomb).contains("more than 1 MiB"));
        let size = u32::to_le_bytes(800 * 1024);
        assert!(read(&patched(&bomb, &size, &[1, 0, 0, 0]), LIMITS).is_err());
    }

    #[test]
    fn too_many_files_are_refused() {
        let names: Vec<String> = (0..101).map(|index| format!("{index}.py")).collect();
        let files: Vec<(&str, &[u8])> =
            names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(refusal(&zip(&files)).contains("more than 100 files"));
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for bytes in [&b""[..], b"PK", b"print('hello')", b"PK\x05\x06"] {
            assert!(refusal(&Bytes::copy_from_slice(bytes)).contains("not a .zip"));
        }
        let archive = zip(&[("app.py", b"x = 1")]);
        for length in 0..archive.len() {
            assert!(
                read(&archive.slice(..length), LIMITS).is_err(),
                "cut at {length}"
            );
        }
    }
}
