//! The store and the blobs that the settings name.

use std::path::Path;
use std::sync::Arc;

use crate::adapter::aws;
use crate::adapter::blobs::filesystem::FilesystemBlobs;
use crate::adapter::blobs::s3::S3Blobs;
use crate::adapter::store::dynamodb::{DynamoStore, Patience};
use crate::adapter::store::sqlite::SqliteStore;
use crate::port::blobs::Blobs;
use crate::port::store::Store;
use crate::server::config::{BlobsEngine, Config, StorageSettings, StoreEngine};

pub(in crate::server) async fn open_store(config: &Config) -> Result<Arc<dyn Store>, String> {
    match config.storage.store {
        StoreEngine::Sqlite => {
            let data = &config.keep.data_dir;
            let store = SqliteStore::open(data).map_err(|cause| unusable(data, cause))?;
            Ok(Arc::new(store))
        }
        StoreEngine::DynamoDb => {
            let store = dynamo_store(&config.storage).await;
            store.check_table().await?;
            Ok(Arc::new(store))
        }
    }
}

pub(super) async fn dynamo_store(settings: &StorageSettings) -> DynamoStore {
    let sdk = aws::load(&settings.region).await;
    DynamoStore::new(
        &sdk,
        &settings.table,
        settings.dynamodb_endpoint.as_deref(),
        Patience::default(),
    )
}

pub(in crate::server) async fn open_blobs(config: &Config) -> Result<Arc<dyn Blobs>, String> {
    match config.storage.blobs {
        BlobsEngine::Files => {
            let data = &config.keep.data_dir;
            let blobs = FilesystemBlobs::open(&data.join("blobs"))
                .map_err(|cause| unusable(data, cause))?;
            Ok(Arc::new(blobs))
        }
        BlobsEngine::S3 => {
            let settings = &config.storage;
            let sdk = aws::load(&settings.region).await;
            let blobs = S3Blobs::new(&sdk, &settings.bucket, settings.s3_endpoint.as_deref());
            let checked = blobs.check().await;
            checked.map_err(|cause| format!("S3_BUCKET_NAME: {cause}"))?;
            Ok(Arc::new(blobs))
        }
    }
}

fn unusable(data: &Path, cause: impl std::fmt::Display) -> String {
    format!(
        "BLUE_FAAS_DATA_DIR: {} cannot be used: {cause}",
        data.display()
    )
}
