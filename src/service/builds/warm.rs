//! The first build on a machine compiles all of CPython. Doing that ahead, while nobody waits, makes the first real one as quick as the others.

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::Builds;
use crate::model::deployment::AppName;
use crate::model::error::Result;
use crate::model::id::{TaskId, WorkspaceId};
use crate::model::task::StageName;
use crate::port::builder::{BuildRequest, Progress, RawSource, Unkept};
use crate::port::keys;
use crate::port::store::Write;
use crate::service::table::{internal, to_item};

/// The console's first template: a function made of it is then built already.
const HELLO: &str = include_str!("../../ui/workspace/templates/hello.py");

/// Nobody watches.
struct Unseen;

impl Progress for Unseen {
    fn stage(&self, _: StageName) {}
    fn line(&self, _: StageName, _: &str) {}
}

impl Builds {
    /// Builds the smallest function unless this machine has built one; `cancel` when a real build needs the machine.
    pub(super) async fn warm_up(&self, cancel: CancellationToken) {
        if !self.settings.warm_up || self.platform.is_warm() || self.builder.check().await.is_err()
        {
            return;
        }
        tracing::info!("compiling the Python runtime once for this machine, in the background");
        let work = cancel.run_until_cancelled(self.build_hello(&cancel));
        match work.await {
            Some(Ok(())) => {
                tracing::info!("the Python runtime is compiled; builds are quick from now on");
            }
            Some(Err(error)) if !cancel.is_cancelled() => {
                tracing::warn!(%error, "the Python runtime could not be compiled ahead; the first build does it");
            }
            Some(Err(_)) | None => {}
        }
    }

    async fn build_hello(&self, cancel: &CancellationToken) -> Result<()> {
        let trouble = |cause: String| internal("BUILD_ERROR", cause);
        let raw = RawSource::File {
            name: "app.py".to_owned(),
            content: Bytes::from_static(HELLO.as_bytes()),
        };
        let (source, _) = self
            .builder
            .read_source(raw)
            .await
            .map_err(|cause| trouble(cause.to_string()))?;
        let cache_key = self.builder.cache_key(&source);
        let request = BuildRequest {
            task_id: TaskId::parse("warm-up")?,
            workspace_id: WorkspaceId::parse(super::super::workspaces::DEFAULT_WORKSPACE)?,
            function_id: None,
            app_name: AppName::parse("hello")?,
            source,
            push: None,
        };
        let built = self
            .builder
            .build(request, &Unseen, &Unkept, cancel)
            .await
            .map_err(|cause| trouble(cause.to_string()))?;
        let (Some(artifact), Some(cache_key)) = (built.artifact, cache_key) else {
            return Ok(());
        };
        self.platform
            .prepare(&artifact)
            .await
            .map_err(|cause| trouble(cause.to_string()))?;
        self.table
            .write(Write::put(
                keys::built_source(&cache_key),
                to_item(&artifact)?,
            ))
            .await
    }
}
