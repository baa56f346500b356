//! What follows a build: its version, its image, its deployment.

use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::Builds;
use super::engine::holds;
use super::job::TaskJob;
use super::output::Output;
use super::record::{PushTarget, TaskKind, TaskRecord};
use super::run::Stopped;
use crate::model::deployment::ImageRef;
use crate::model::error::{Error, ErrorKind};
use crate::model::id::{DeploymentId, FunctionId};
use crate::model::task::StageName;
use crate::model::time::Timestamp;
use crate::model::version::Version;
use crate::port::builder::{Progress as _, PushRequest};
use crate::port::keys;
use crate::port::store::{Condition, Update, Write};
use crate::service::actor::Actor;
use crate::service::deployments::DeployRequest;
use crate::service::deployments::record::ImageRecord;
use crate::service::functions::FunctionRecord;
use crate::service::table::to_item;

impl Builds {
    pub(super) async fn steps(
        &self,
        task: &mut TaskRecord,
        output: &Arc<Output>,
        cancel: &CancellationToken,
    ) -> Result<(), Stopped> {
        // An earlier run may have come as far as the version, and noted the image with it.
        let is_made = task.version.is_some() && task.image_url.is_some();
        if task.kind != TaskKind::Push && !is_made {
            self.build(task, output, cancel).await?;
        }
        if let Some(artifact) = task.artifact.clone() {
            // Who only builds wants a component; else there is one where somebody took it, and what is stored is named.
            let stored = if task.kind == TaskKind::Build {
                self.builder.portable(&artifact).await?
            } else {
                artifact
            };
            task.wasm_path = Some(self.blobs.url(&stored.key));
        }
        if let Some(function) = task.function_id.clone()
            && task.kind != TaskKind::Push
        {
            task.version = Some(self.make_version(task, &function).await?);
        }
        if task.kind != TaskKind::Build {
            let image_ref = match task.image_url.clone() {
                // Pushed in the same job.
                Some(image_ref) => ImageRef::parse(image_ref)?,
                None => self.push_image(task, output, cancel).await?,
            };
            self.record_image(task, image_ref, output).await?;
        }
        if task.deploy.is_some() {
            self.deploy(task, output).await?;
        }
        Ok(())
    }

    /// The version of this task, made once however often the task runs.
    pub(super) async fn make_version(
        &self,
        task: &TaskRecord,
        function: &FunctionId,
    ) -> Result<u32, Stopped> {
        if let Some(number) = task.version {
            return Ok(number);
        }
        let key = keys::function(&task.workspace_id, function);
        for _ in 0..32 {
            let Some(record) = self.table.get::<FunctionRecord>(&key).await? else {
                return Err(Stopped::Failed {
                    message: "The function was deleted while it was built.".to_owned(),
                    diagnostics: Vec::new(),
                });
            };
            let number = record.versions as u32 + 1;
            let version = Version {
                function_id: function.clone(),
                number,
                source: task
                    .source
                    .clone()
                    .unwrap_or_else(|| record.source_summary()),
                source_key: task.source_key.clone().unwrap_or_default(),
                configuration: task
                    .configuration
                    .clone()
                    .unwrap_or_else(|| record.configuration()),
                image_ref: self.image_name(task),
                artifact: task.artifact.clone(),
                task_id: task.task_id.clone(),
                by: task.by.clone(),
                at: Timestamp::now(),
            };
            let same = if record.versions == 0.0 {
                Condition::Any(vec![
                    Condition::Missing("versions".to_owned()),
                    Condition::Equals("versions".to_owned(), 0.into()),
                ])
            } else {
                Condition::Equals("versions".to_owned(), record.versions.into())
            };
            let writes = vec![
                Write::create(keys::version(function, number), to_item(&version)?),
                Write::Update(
                    Update::new(key.clone())
                        .set("versions", f64::from(number))
                        .when(Condition::All(vec![
                            same,
                            Condition::Missing("deleting".to_owned()),
                        ])),
                ),
                Write::Update(note_version(task, number)),
            ];
            if self.table.try_transact(writes, None).await? {
                return Ok(number);
            }
            // Another build of this function finished in between, or this task has a new owner.
            let current: Option<TaskRecord> = self
                .table
                .get(&keys::task(&task.workspace_id, &task.task_id))
                .await?;
            if current.is_none_or(|current| (current.fence - task.fence).abs() > f64::EPSILON) {
                return Err(Stopped::Cancelled);
            }
        }
        Err(Stopped::Trouble(Error::overloaded(
            "Too many builds of this function end at the same time.",
        )))
    }

    async fn push_image(
        &self,
        task: &TaskRecord,
        output: &Arc<Output>,
        cancel: &CancellationToken,
    ) -> Result<ImageRef, Stopped> {
        output.stage(StageName::Push);
        let request = PushRequest {
            task_id: task.task_id.clone(),
            workspace_id: task.workspace_id.clone(),
            app_name: task.app_name.clone(),
            artifact: task.artifact.clone(),
            source_path: task.source_code_path.clone(),
            destination: self.destination(task)?,
        };
        let job = TaskJob::new(&self.table, task);
        let pushed = self
            .builder
            .push(request, output.as_ref(), &job, cancel)
            .await?;
        Ok(ImageRef::parse(&pushed.image_ref)?)
    }

    /// From then on the image is found by its name.
    async fn record_image(
        &self,
        task: &mut TaskRecord,
        image_ref: ImageRef,
        output: &Arc<Output>,
    ) -> Result<(), Stopped> {
        let image = ImageRecord {
            image_ref: image_ref.clone(),
            task_id: Some(task.task_id.clone()),
            function_id: task.function_id.clone(),
            workspace_id: Some(task.workspace_id.clone()),
            version: task.version,
            artifact: task.artifact.clone(),
            source_sha256: task
                .source
                .as_ref()
                .map(|source| source.sha256.clone())
                .unwrap_or_default(),
            configuration: task.configuration.clone(),
        };
        self.table
            .write(Write::put(keys::image(&image_ref), to_item(&image)?))
            .await?;
        if let (Some(function), Some(version)) = (&task.function_id, task.version) {
            self.name_image(function, version, &image_ref).await?;
        }
        output.line(StageName::Push, &format!("Image {image_ref}"));
        task.image_url = Some(image_ref.to_string());
        Ok(())
    }

    /// A version that a builder elsewhere made has no image until it is pushed for the first time.
    async fn name_image(
        &self,
        function: &FunctionId,
        version: u32,
        image_ref: &ImageRef,
    ) -> Result<(), Stopped> {
        let update = Update::new(keys::version(function, version))
            .set("image_ref", image_ref.as_str())
            .when(Condition::Equals("image_ref".to_owned(), "".into()));
        self.table
            .try_transact(vec![Write::Update(update)], None)
            .await?;
        Ok(())
    }

    pub(super) async fn deploy(
        &self,
        task: &mut TaskRecord,
        output: &Arc<Output>,
    ) -> Result<(), Stopped> {
        let (Some(plan), Some(image)) = (task.deploy.clone(), task.image_url.clone()) else {
            return Ok(());
        };
        output.stage(StageName::Deploy);
        output.line(
            StageName::Deploy,
            &format!("Starting {} in {}", plan.app_name, plan.namespace),
        );
        let request = DeployRequest {
            app_name: Some(plan.app_name),
            namespace: plan.namespace,
            image_ref: ImageRef::parse(image)?,
            options: plan.options,
            function_id: task.function_id.clone(),
            version: task.version,
            id: Some(DeploymentId::parse(task.task_id.as_str())?),
        };
        let outcome = self
            .deployments
            .deploy(&Actor::of_record(&task.by), request)
            .await
            .map_err(|error| match error.kind {
                ErrorKind::Internal => Stopped::Trouble(error),
                _ => Stopped::Failed {
                    message: error.message,
                    diagnostics: Vec::new(),
                },
            })?;
        output.stage(StageName::Ready);
        for warning in &outcome.warnings {
            output.line(StageName::Ready, warning);
        }
        if let Some(endpoint) = &outcome.deployment.endpoint {
            output.line(StageName::Ready, &format!("Serving at {endpoint}"));
        }
        task.app_name = outcome.deployment.app_name;
        task.deployed = true;
        Ok(())
    }

    /// Without a registry the image is known by the app's name alone.
    pub(super) fn push_target(&self, task: &TaskRecord) -> PushTarget {
        let mut target = task.push.clone().unwrap_or_else(|| PushTarget {
            registry_url: match &self.settings.registry {
                Some(registry) => registry.clone(),
                None => format!("local/{}", task.app_name),
            },
            tag: String::new(),
            with_credentials: false,
        });
        // `sha256` is what older clients send to say that any tag will do.
        if target.tag.is_empty() || target.tag == "sha256" {
            target.tag = format!("task-{}", task.task_id);
        }
        target
    }

    /// The image of a task's version; none where nothing here and no registry has one.
    fn image_name(&self, task: &TaskRecord) -> String {
        match (&task.image_url, &task.artifact) {
            (Some(pushed), _) => pushed.clone(),
            (None, Some(_)) => {
                let target = self.push_target(task);
                format!("{}:{}", target.registry_url, target.tag)
            }
            (None, None) => String::new(),
        }
    }
}

/// A job elsewhere may be forgotten by the time that another server asks about it, so its image is noted too.
fn note_version(task: &TaskRecord, number: u32) -> Update {
    let key = keys::task(&task.workspace_id, &task.task_id);
    let mut update = Update::new(key).set("version", number).when(holds(task));
    if let Some(image) = &task.image_url {
        update = update.set("image_url", image.as_str());
        if let Some(path) = &task.wasm_path {
            update = update.set("wasm_path", path.as_str());
        }
    }
    update
}
