//! Where records and objects are kept.

use super::arguments::Arguments;
use super::parse;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreEngine {
    Sqlite,
    DynamoDb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobsEngine {
    Files,
    S3,
}

#[derive(Clone, Debug)]
pub struct StorageSettings {
    /// `BLUE_FAAS_STORE`
    pub store: StoreEngine,
    /// `BLUE_FAAS_BLOBS`
    pub blobs: BlobsEngine,
    /// `AWS_REGION`
    pub region: String,
    /// `DYNAMODB_TABLE_NAME`
    pub table: String,
    /// `S3_BUCKET_NAME`
    pub bucket: String,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL`; AWS itself when neither is set.
    pub dynamodb_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`; AWS itself when neither is set.
    pub s3_endpoint: Option<String>,
}

impl StorageSettings {
    /// The error is one line that names the variable.
    pub fn from_arguments(arguments: &Arguments) -> Result<Self, String> {
        let endpoint = |name: &str, url: &Option<String>| {
            // An empty variable is how a container's settings leave one out.
            let url = url.as_deref().filter(|url| !url.is_empty());
            url.map(|url| parse::url(name, url)).transpose()
        };
        let shared = endpoint("AWS_ENDPOINT_URL", &arguments.aws_endpoint_url)?;
        Ok(Self {
            store: store_engine(&arguments.store)?,
            blobs: blobs_engine(&arguments.blobs)?,
            region: region(&arguments.aws_region)?,
            table: table(&arguments.dynamodb_table_name)?,
            bucket: bucket(&arguments.s3_bucket_name)?,
            dynamodb_endpoint: endpoint(
                "AWS_ENDPOINT_URL_DYNAMODB",
                &arguments.aws_endpoint_url_dynamodb,
            )?
            .or_else(|| shared.clone()),
            s3_endpoint: endpoint("AWS_ENDPOINT_URL_S3", &arguments.aws_endpoint_url_s3)?
                .or(shared),
        })
    }
}

fn store_engine(text: &str) -> Result<StoreEngine, String> {
    match text {
        "sqlite" => Ok(StoreEngine::Sqlite),
        "dynamodb" => Ok(StoreEngine::DynamoDb),
        other => Err(format!(
            "BLUE_FAAS_STORE: \"{other}\" is not known. Use sqlite or dynamodb."
        )),
    }
}

fn blobs_engine(text: &str) -> Result<BlobsEngine, String> {
    match text {
        "files" => Ok(BlobsEngine::Files),
        "s3" => Ok(BlobsEngine::S3),
        other => Err(format!(
            "BLUE_FAAS_BLOBS: \"{other}\" is not known. Use files or s3."
        )),
    }
}

fn region(text: &str) -> Result<String, String> {
    if !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "AWS_REGION: \"{text}\" is not a region. Write it as in ap-northeast-2."
        ))
    }
}

/// DynamoDB's rule.
fn table(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if (3..=255).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "DYNAMODB_TABLE_NAME: \"{text}\" is not a table's name. Use 3 to 255 letters, digits, _, . and -."
        ))
    }
}

/// S3's rule.
fn bucket(text: &str) -> Result<String, String> {
    let inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    if (3..=63).contains(&text.len())
        && text.bytes().all(inner)
        && ends(bytes.first())
        && ends(bytes.last())
    {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "S3_BUCKET_NAME: \"{text}\" is not a bucket's name. Use 3 to 63 lower case letters, digits, . and -, without its s3:// or a path."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn read(arguments: &[&str]) -> Result<StorageSettings, String> {
        let program = std::iter::once(&"blue-faas");
        StorageSettings::from_arguments(&Arguments::parse_from(program.chain(arguments)))
    }

    #[test]
    fn a_service_has_its_own_endpoint_or_the_common_one() {
        let settings = read(&[
            "--aws-endpoint-url=http://127.0.0.1:4566/",
            "--aws-endpoint-url-s3=http://127.0.0.1:9000",
            "--aws-endpoint-url-dynamodb=",
        ])
        .unwrap();
        assert_eq!(
            settings.s3_endpoint.as_deref(),
            Some("http://127.0.0.1:9000")
        );
        assert_eq!(
            settings.dynamodb_endpoint.as_deref(),
            Some("http://127.0.0.1:4566")
        );
    }

    #[test]
    fn a_wrong_value_is_named_with_its_variable() {
        for (argument, variable) in [
            ("--store=mongodb", "BLUE_FAAS_STORE"),
            ("--blobs=ftp", "BLUE_FAAS_BLOBS"),
            ("--aws-region=Seoul", "AWS_REGION"),
            ("--aws-region=", "AWS_REGION"),
            ("--dynamodb-table-name=a b c", "DYNAMODB_TABLE_NAME"),
            ("--s3-bucket-name=s3://bucket", "S3_BUCKET_NAME"),
            ("--s3-bucket-name=-bucket", "S3_BUCKET_NAME"),
            ("--s3-bucket-name=Bucket", "S3_BUCKET_NAME"),
            ("--aws-endpoint-url=localhost", "AWS_ENDPOINT_URL"),
            ("--aws-endpoint-url-s3=s3", "AWS_ENDPOINT_URL_S3"),
        ] {
            let line = read(&[argument]).unwrap_err();
            assert!(line.starts_with(&format!("{variable}: ")), "{line}");
        }
    }
}
