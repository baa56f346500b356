//! S3's errors in the port's terms, saying for the log what to change.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;

use super::S3Blobs;
use crate::adapter::aws;
use crate::port::blobs::{BlobError, Blobs as _};

impl S3Blobs {
    /// `action` is the permission that the request needs.
    pub(super) fn failed<E>(
        &self,
        action: &str,
        key: &str,
        error: &SdkError<E, HttpResponse>,
    ) -> BlobError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match (status(error), error.code()) {
            (Some(404), Some("NoSuchBucket")) => self.bucket_failed(error),
            (Some(404), _) => BlobError::Missing(key.to_owned()),
            (Some(403), Some("AccessDenied" | "Forbidden") | None) => BlobError::Failed(format!(
                "access to {} is denied: the server's role needs {action} on {}",
                self.url(key),
                self.resource(action),
            )),
            _ => other(&self.url(key), error),
        }
    }

    /// What a request about the bucket itself came to.
    pub(super) fn bucket_failed<E>(&self, error: &SdkError<E, HttpResponse>) -> BlobError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let bucket = &self.bucket;
        BlobError::Failed(match status(error) {
            Some(404) => format!("there is no bucket {bucket}: create it, or set S3_BUCKET_NAME"),
            Some(403) => format!(
                "access to the bucket {bucket} is denied: it is another account's, or the server's role needs s3:ListBucket on {}",
                self.resource("s3:ListBucket"),
            ),
            Some(301) => format!("the bucket {bucket} is in another region: set AWS_REGION"),
            _ => return other(&format!("the bucket {bucket}"), error),
        })
    }

    fn resource(&self, action: &str) -> String {
        let objects = if action == "s3:ListBucket" { "" } else { "/*" };
        format!("arn:aws:s3:::{}{objects}", self.bucket)
    }
}

/// What stayed after all attempts and has no name of its own.
fn other<E>(subject: &str, error: &SdkError<E, HttpResponse>) -> BlobError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let cause = format!("{subject}: {}", aws::describe("S3", error));
    match (status(error), error) {
        (Some(429 | 503), _) | (_, SdkError::TimeoutError(_)) => BlobError::Busy(cause),
        _ => BlobError::Failed(cause),
    }
}

pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error
        .raw_response()
        .map(|response| response.status().as_u16())
}
