//! Archives as they are uploaded and downloaded.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

pub fn zip(files: &[(&str, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .expect("a file");
        archive.write_all(content.as_ref()).expect("written");
    }
    archive.finish().expect("an archive").into_inner()
}

/// The files by their paths.
pub fn unzip(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).expect("an archive");
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry");
        let name = entry.name().expect("a name").into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("a file");
        files.insert(name, content);
    }
    files
}
