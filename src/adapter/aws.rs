//! How the adapters of AWS services reach them: credentials, region, HTTPS, time-outs, retries. No adapter itself.

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::time::Duration;

/// A service of the same region answers a connection within milliseconds; one that does not is tried at its next address.
const CONNECT: Duration = Duration::from_secs(3);
/// The first and its repetitions, with growing pauses of random length.
const ATTEMPTS: u32 = 4;

/// What every client is made from. Credentials are looked for where the SDK always does: environment, profile, web identity (IRSA), container,
/// instance role; nothing is asked before the first request. `AWS_ENDPOINT_URL` counts for the services that the SDK calls by itself, too.
pub async fn load(region: &str) -> SdkConfig {
    // On ring, as all of the product's TLS: the SDK's own choice wants a C toolchain.
    let https = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(https)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .load()
        .await
}

/// Bounds for one attempt, up to the beginning of its answer, and for all attempts of a request together.
pub fn timeouts(attempt: Duration, request: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(request)
        .build()
}

/// What went wrong, for the log, with what to do where that is known. `service` as in "S3".
pub fn describe<E, R>(service: &str, error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    if let SdkError::ServiceError(answer) = error {
        let metadata = answer.err().meta();
        return format!(
            "{service} answered {}: {}",
            metadata.code().unwrap_or("an error without a code"),
            metadata.message().unwrap_or("no message"),
        );
    }
    let cause = DisplayErrorContext(error).to_string();
    if matches!(error, SdkError::TimeoutError(_)) {
        format!("{service} did not answer in time: {cause}")
    } else if cause.to_ascii_lowercase().contains("credential") {
        format!(
            "no AWS credentials for {service}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the server a role (IRSA, instance): {cause}"
        )
    } else {
        format!("{service} cannot be reached: {cause}")
    }
}
