//! Objects in an S3 bucket, on AWS or another server that speaks its protocol.
//!
//! S3 shows an object whole or not at all, and a list or read that follows an acknowledged write sees it, so the port's promises are mostly S3's.
//! Puts carry no condition. Keys name their content or the task that made it, so two writers of a key write the same; and a put that left what
//! is there alone would leave its age too, by which collection tells what nobody needs from what a record is about to name.

mod download;
mod failure;
mod upload;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier};
use bytes::Bytes;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{hash, key};
use crate::adapter::aws;
use crate::port::blobs::{BlobError, BlobInfo, Blobs};
use download::Download;
use upload::Content;

/// One attempt may take this long: a part of 8 MiB at 140 KB/s.
const ATTEMPT: Duration = Duration::from_mins(1);
const REQUEST: Duration = Duration::from_mins(3);
/// Whoever asks whether the bucket is there does not wait for long.
const CHECK: Duration = Duration::from_secs(3);
/// Keys in one request to delete them (S3's limit).
const MAX_DELETE: usize = 1_000;

pub struct S3Blobs {
    client: Client,
    bucket: String,
}

impl S3Blobs {
    /// `endpoint` is another server than AWS; the bucket's name then stands in the path, since it has no name of its own for each.
    pub fn new(sdk: &SdkConfig, bucket: &str, endpoint: Option<&str>) -> Self {
        let mut config = Builder::from(sdk).timeout_config(aws::timeouts(ATTEMPT, REQUEST));
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        Self {
            client: Client::from_conf(config.build()),
            bucket: bucket.to_owned(),
        }
    }

    /// What is known of an object without its content.
    async fn head(&self, key: &str) -> Result<HeadObjectOutput, BlobError> {
        self.client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| self.failed("s3:GetObject", key, &error))
    }

    async fn list_page(
        &self,
        prefix: &str,
        after: Option<String>,
    ) -> Result<(Vec<Object>, Option<String>), BlobError> {
        let page = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_continuation_token(after)
            .send()
            .await
            .map_err(|error| self.failed("s3:ListBucket", prefix, &error))?;
        let next = page.next_continuation_token;
        Ok((page.contents.unwrap_or_default(), next))
    }

    async fn delete_keys(&self, folder: &str, keys: &[String]) -> Result<(), BlobError> {
        let built = |cause: aws_sdk_s3::error::BuildError| BlobError::Failed(cause.to_string());
        let mut delete = Delete::builder().quiet(true);
        for key in keys {
            delete = delete.objects(
                ObjectIdentifier::builder()
                    .key(key)
                    .build()
                    .map_err(built)?,
            );
        }
        let answer = self
            .client
            .delete_objects()
            .bucket(&self.bucket)
            .delete(delete.build().map_err(built)?)
            .send()
            .await
            .map_err(|error| self.failed("s3:DeleteObject", folder, &error))?;
        match answer.errors().first() {
            None => Ok(()),
            Some(error) => Err(BlobError::Failed(format!(
                "{} could not be deleted: {} {}",
                self.url(error.key().unwrap_or(folder)),
                error.code().unwrap_or_default(),
                error.message().unwrap_or_default(),
            ))),
        }
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: &str, content: Bytes, sha256: Option<&str>) -> Result<(), BlobError> {
        key::split(key)?;
        self.upload(key, Content::Memory(content), sha256).await
    }

    async fn put_file(
        &self,
        key: &str,
        file: &Path,
        sha256: Option<&str>,
    ) -> Result<(), BlobError> {
        key::split(key)?;
        let content = Content::open(file)
            .await
            .map_err(|error| BlobError::Failed(format!("{}: {error}", file.display())))?;
        self.upload(key, content, sha256).await
    }

    async fn get(&self, key: &str, sha256: Option<&str>) -> Result<Bytes, BlobError> {
        key::split(key)?;
        let mut download = Download::open(self, key).await?;
        let mut content = Vec::with_capacity(download.size() as usize);
        while let Some(chunk) = download.next().await? {
            content.extend_from_slice(&chunk);
        }
        hash::check(key, &content, sha256)?;
        Ok(content.into())
    }

    async fn local_file(&self, key: &str, scratch: &Path) -> Result<PathBuf, BlobError> {
        let (_, name) = key::split(key)?;
        let mut download = Download::open(self, key).await?;
        let failed = |error: std::io::Error| {
            BlobError::Failed(format!("{key} cannot be copied to this machine: {error}"))
        };
        let mut file = tempfile::Builder::new()
            .suffix(&format!("-{name}"))
            .tempfile_in(scratch)
            .map_err(failed)?;
        while let Some(chunk) = download.next().await? {
            // Into the page cache: the disk is waited for by nobody.
            file.write_all(&chunk).map_err(failed)?;
        }
        let (_, path) = file.keep().map_err(|error| failed(error.error))?;
        Ok(path)
    }

    async fn exists(&self, key: &str) -> Result<bool, BlobError> {
        key::split(key)?;
        match self.head(key).await {
            Ok(_) => Ok(true),
            Err(BlobError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        key::split(key)?;
        let deleted = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| self.failed("s3:DeleteObject", key, &error));
        match deleted {
            Ok(_) | Err(BlobError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, BlobError> {
        key::split_prefix(prefix)?;
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (objects, next) = self.list_page(prefix, after).await?;
            found.extend(objects.into_iter().filter_map(info));
            after = next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn delete_folder(&self, prefix: &str) -> Result<(), BlobError> {
        key::split_folder(prefix)?;
        let keys: Vec<String> = self
            .list(prefix)
            .await?
            .into_iter()
            .map(|object| object.key)
            .collect();
        for keys in keys.chunks(MAX_DELETE) {
            self.delete_keys(prefix, keys).await?;
        }
        Ok(())
    }

    fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    async fn check(&self) -> Result<(), BlobError> {
        self.client
            .head_bucket()
            .bucket(&self.bucket)
            .customize()
            .config_override(Builder::new().timeout_config(aws::timeouts(CHECK, 2 * CHECK)))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.bucket_failed(&error))
    }

    async fn disk_usage(&self) -> Option<u64> {
        None
    }
}

/// `None` for what is no object of ours: a bucket may have others' in it, with keys that none here has.
fn info(object: Object) -> Option<BlobInfo> {
    let key = object.key?;
    key::split(&key).ok()?;
    Some(BlobInfo {
        size: u64::try_from(object.size.unwrap_or_default()).unwrap_or_default(),
        modified: object.last_modified.map_or(0, |time| time.secs()),
        key,
    })
}
