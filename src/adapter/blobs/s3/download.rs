//! Objects on their way from S3. A connection that breaks in the middle is taken up where it broke, as long as the object is still the same.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use std::time::Duration;

use super::S3Blobs;
use super::failure::status;
use crate::port::blobs::BlobError;

/// How often an object is asked for again where it broke off.
const RESUMPTIONS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Download<'a> {
    blobs: &'a S3Blobs,
    key: &'a str,
    body: ByteStream,
    etag: Option<String>,
    size: u64,
    /// Bytes that came.
    at: u64,
    resumptions: u32,
}

impl<'a> Download<'a> {
    pub async fn open(blobs: &'a S3Blobs, key: &'a str) -> Result<Self, BlobError> {
        let object = blobs
            .client
            .get_object()
            .bucket(&blobs.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| blobs.failed("s3:GetObject", key, &error))?;
        let GetObjectOutput {
            body,
            e_tag,
            content_length,
            ..
        } = object;
        let size = content_length
            .and_then(|length| u64::try_from(length).ok())
            .ok_or_else(|| BlobError::Failed(format!("S3 told no length of {key}")))?;
        Ok(Self {
            blobs,
            key,
            body,
            etag: e_tag,
            size,
            at: 0,
            resumptions: 0,
        })
    }

    /// Bytes of the whole object.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes that follow; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        loop {
            match self.body.next().await {
                Some(Ok(chunk)) => {
                    self.at += chunk.len() as u64;
                    return Ok(Some(chunk));
                }
                None if self.at == self.size => return Ok(None),
                // Every byte came, and their checksum is not the one that S3 keeps.
                Some(Err(_)) if self.at == self.size => {
                    return Err(BlobError::Damaged(self.key.to_owned()));
                }
                Some(Err(error)) => self.resume(&error.to_string()).await?,
                None => self.resume("the answer ended too early").await?,
            }
        }
    }

    async fn resume(&mut self, cause: &str) -> Result<(), BlobError> {
        if self.resumptions == RESUMPTIONS {
            return Err(BlobError::Failed(format!(
                "{} broke off at byte {} of {}, and again whenever it was taken up: {cause}",
                self.key, self.at, self.size
            )));
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(self.resumptions)).await;
        self.resumptions += 1;
        let rest = self
            .blobs
            .client
            .get_object()
            .bucket(&self.blobs.bucket)
            .key(self.key)
            .range(format!("bytes={}-", self.at))
            .set_if_match(self.etag.clone())
            .send()
            .await
            .map_err(|error| match status(&error) {
                Some(412) => BlobError::Failed(format!(
                    "{} was replaced while it was read: read it again",
                    self.key
                )),
                _ => self.blobs.failed("s3:GetObject", self.key, &error),
            })?;
        self.body = rest.body;
        Ok(())
    }
}
