//! Objects on their way to S3: small ones in one request, others in parts, of which a few are under way at a time.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt as _};
use nix::fcntl::OFlag;
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

use super::S3Blobs;
use crate::adapter::blobs::hash::{self, hexadecimal, is_hash};
use crate::port::blobs::BlobError;

/// Bytes of a part, and the most that goes in one request: S3 takes parts from 5 MiB on.
const PART: u64 = 8 * 1024 * 1024;
/// Most parts of an object (S3's limit).
const MAX_PARTS: u64 = 10_000;
/// Parts under way at a time; so many and one that waits are in memory.
const PARALLEL: usize = 3;
/// Metadata that tells this upload's object from any other under its key.
const UPLOAD: &str = "upload";

/// What is to become an object.
pub(super) enum Content {
    Memory(Bytes),
    File { file: File, size: u64 },
}

impl Content {
    /// The file may come out of a build that ran someone's code: what is no plain file, a link above all, is refused.
    pub async fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits())
            .open(path)
            .await?;
        let metadata = file.metadata().await?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "this is no plain file",
            ));
        }
        let size = metadata.len();
        Ok(Self::File { file, size })
    }

    fn part_size(&self) -> u64 {
        let size = match self {
            Self::Memory(content) => content.len() as u64,
            Self::File { size, .. } => *size,
        };
        PART.max(size.div_ceil(MAX_PARTS))
    }

    /// The bytes that follow, none at the end.
    async fn next(&mut self, length: u64) -> io::Result<Bytes> {
        match self {
            Self::Memory(content) => {
                let length = content.len().min(length as usize);
                Ok(content.split_to(length))
            }
            Self::File { file, size } => {
                let mut part = Vec::with_capacity(length.min(*size) as usize);
                file.take(length).read_to_end(&mut part).await?;
                Ok(part.into())
            }
        }
    }
}

impl S3Blobs {
    pub(super) async fn upload(
        &self,
        key: &str,
        mut content: Content,
        sha256: Option<&str>,
    ) -> Result<(), BlobError> {
        let part_size = content.part_size();
        let first = content
            .next(part_size)
            .await
            .map_err(|error| unreadable(key, &error))?;
        if (first.len() as u64) < part_size {
            hash::check(key, &first, sha256)?;
            return self.put_whole(key, first).await;
        }
        let upload = Upload::begin(self, key).await?;
        let (parts, hash) = upload.send_parts(first, content, part_size).await?;
        if !is_hash(sha256, &hash) {
            return Err(BlobError::Damaged(key.to_owned()));
        }
        upload.complete(parts).await
    }

    async fn put_whole(&self, key: &str, content: Bytes) -> Result<(), BlobError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(ByteStream::from(content))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.failed("s3:PutObject", key, &error))
    }
}

/// Parts that S3 keeps aside until they are completed. Given up on drop, also when whoever uploads is cancelled.
struct Upload<'a> {
    blobs: &'a S3Blobs,
    key: &'a str,
    id: String,
    name: String,
    completed: bool,
}

impl<'a> Upload<'a> {
    async fn begin(blobs: &'a S3Blobs, key: &'a str) -> Result<Self, BlobError> {
        let name = Uuid::new_v4().to_string();
        let begun = blobs
            .client
            .create_multipart_upload()
            .bucket(&blobs.bucket)
            .key(key)
            .metadata(UPLOAD, &name)
            .send()
            .await
            .map_err(|error| blobs.failed("s3:PutObject", key, &error))?;
        let id = begun
            .upload_id
            .ok_or_else(|| BlobError::Failed(format!("S3 began no upload of {key}")))?;
        Ok(Self {
            blobs,
            key,
            id,
            name,
            completed: false,
        })
    }

    /// Answers the parts in their order, and the hash of all.
    async fn send_parts(
        &self,
        first: Bytes,
        mut content: Content,
        part_size: u64,
    ) -> Result<(Vec<CompletedPart>, String), BlobError> {
        let mut hash = Sha256::new();
        let mut parts = Vec::new();
        let mut under_way = FuturesUnordered::new();
        let (mut part, mut number) = (first, 0);
        loop {
            while under_way.len() < PARALLEL && !part.is_empty() {
                (hash, part) = add(hash, part).await?;
                number += 1;
                under_way.push(self.send_part(number, part));
                let next = content.next(part_size).await;
                part = next.map_err(|error| unreadable(self.key, &error))?;
            }
            match under_way.next().await {
                Some(sent) => parts.push(sent?),
                None => break,
            }
        }
        parts.sort_by_key(CompletedPart::part_number);
        Ok((parts, hexadecimal(&hash.finalize())))
    }

    async fn send_part(&self, number: i32, content: Bytes) -> Result<CompletedPart, BlobError> {
        let sent = self
            .blobs
            .client
            .upload_part()
            .bucket(&self.blobs.bucket)
            .key(self.key)
            .upload_id(&self.id)
            .part_number(number)
            .body(ByteStream::from(content))
            .send()
            .await
            .map_err(|error| self.blobs.failed("s3:PutObject", self.key, &error))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .set_checksum_crc32(sent.checksum_crc32)
            .build())
    }

    async fn complete(mut self, parts: Vec<CompletedPart>) -> Result<(), BlobError> {
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let completed = self
            .blobs
            .client
            .complete_multipart_upload()
            .bucket(&self.blobs.bucket)
            .key(self.key)
            .upload_id(&self.id)
            .multipart_upload(parts)
            .send()
            .await;
        let result = match completed {
            Ok(_) => Ok(()),
            // Completed by an attempt whose answer was lost, if the object is this upload's.
            Err(error) if error.code() == Some("NoSuchUpload") && self.is_there().await? => Ok(()),
            Err(error) => Err(self.blobs.failed("s3:PutObject", self.key, &error)),
        };
        self.completed = result.is_ok();
        result
    }

    async fn is_there(&self) -> Result<bool, BlobError> {
        match self.blobs.head(self.key).await {
            Ok(object) => Ok(object.metadata().and_then(|all| all.get(UPLOAD)) == Some(&self.name)),
            Err(BlobError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if self.completed {
            return;
        }
        let abort = self
            .blobs
            .client
            .abort_multipart_upload()
            .bucket(&self.blobs.bucket)
            .key(self.key)
            .upload_id(&self.id);
        tokio::spawn(async move {
            if let Err(error) = abort.send().await {
                tracing::warn!(
                    error = crate::adapter::aws::describe("S3", &error),
                    "parts of an upload that failed stay in the bucket until its lifecycle rule removes them"
                );
            }
        });
    }
}

/// Hashing a part takes some milliseconds, which others would wait for.
async fn add(mut hash: Sha256, part: Bytes) -> Result<(Sha256, Bytes), BlobError> {
    tokio::task::spawn_blocking(move || {
        hash.update(&part);
        (hash, part)
    })
    .await
    .map_err(|error| BlobError::Failed(error.to_string()))
}

fn unreadable(key: &str, error: &io::Error) -> BlobError {
    BlobError::Failed(format!("what is to become {key} cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_object_has_parts_of_eight_mebibytes_and_never_more_than_ten_thousand() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sparse");
        for size in [0, 1, PART, 80_000_000_000, 90_000_000_000, 1 << 40] {
            std::fs::File::create(&path).unwrap().set_len(size).unwrap();
            let part = Content::open(&path).await.unwrap().part_size();
            assert!(
                part >= PART && size.div_ceil(part) <= MAX_PARTS,
                "{size} bytes"
            );
            assert_eq!(part == PART, size <= PART * MAX_PARTS, "{size} bytes");
        }
    }

    #[tokio::test]
    async fn a_link_a_folder_and_a_pipe_are_no_content() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("file"), "x").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in [at("link"), at("pipe"), directory.path().to_owned()] {
            assert!(Content::open(&path).await.is_err(), "{}", path.display());
        }
        assert!(Content::open(&at("file")).await.is_ok());
    }
}
