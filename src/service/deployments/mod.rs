//! Deployments: what serves under an app name, its history, and the way back.

mod canary;
mod cluster;
pub mod record;
mod recording;
mod removal;
mod rollback;
pub mod routes;
mod scaffold;
mod steps;
pub mod trial;
mod turn;

use rand::seq::IndexedRandom as _;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

use super::actor::Actor;
use super::effects::Effects;
use super::functions::record::FunctionRecord;
use super::new_id;
use super::paging::{Newest, Page, PageQuery, WHOLE};
use super::table::{Table, internal};
use crate::model::deployment::{
    AppName, DeployOptions, Deployment, DeploymentStatus, ImageRef, Namespace,
};
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::id::{DeploymentId, FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::version::Version;
use crate::port::keys;
use crate::port::platform::{Platform, PlatformError};
use record::{AppRecord, DeploymentRecord, ImageRecord, Place};
use routes::Routes;
use turn::{LONG_PATIENCE, PATIENCE};

pub(super) use removal::AppOwner;
pub use scaffold::{ScaffoldRequest, manifest};

/// A deployment that is asked for.
#[derive(Clone, Debug)]
pub struct DeployRequest {
    /// Absent: `spin-word-word-1234`.
    pub app_name: Option<AppName>,
    pub namespace: Namespace,
    pub image_ref: ImageRef,
    pub options: DeployOptions,
    pub function_id: Option<FunctionId>,
    /// The version of that function which is meant. Without it, what the image's name names now: a tag may have moved on.
    pub version: Option<u32>,
    /// The same id again is the same deployment: a build that is taken up again deploys once.
    pub id: Option<DeploymentId>,
}

/// What a deployment came to.
#[derive(Clone, Debug)]
pub struct DeployOutcome {
    pub deployment: Deployment,
    pub warnings: Vec<String>,
}

pub struct Deployments {
    table: Table,
    platform: Arc<dyn Platform>,
    routes: Arc<Routes>,
    effects: Effects,
    default_namespace: Namespace,
    /// Who waits for a turn in this server.
    busy: Mutex<HashMap<AppName, Arc<Mutex<()>>>>,
}

const WORDS: &[&str] = &[
    "amber", "brave", "calm", "clear", "cloud", "coral", "dawn", "delta", "ember", "field",
    "frost", "gentle", "harbor", "happy", "island", "jade", "keen", "lake", "lucky", "maple",
    "meadow", "misty", "noble", "ocean", "olive", "pearl", "pine", "quiet", "rapid", "river",
    "silver", "solar", "spring", "stone", "sunny", "swift", "tide", "vivid", "willow", "winter",
];

fn random_app_name() -> AppName {
    let mut random = rand::rng();
    let word = |random: &mut _| *WORDS.choose(random).unwrap_or(&"blue");
    let number = rand::Rng::random_range(&mut random, 1000..10_000);
    AppName::parse(format!(
        "spin-{}-{}-{number}",
        word(&mut random),
        word(&mut random)
    ))
    .expect("words and digits are an app name")
}

impl Deployments {
    /// `default_namespace` is that of deployments for which nobody chose one.
    pub fn new(
        table: Table,
        platform: Arc<dyn Platform>,
        routes: Arc<Routes>,
        effects: Effects,
        default_namespace: Namespace,
    ) -> Arc<Self> {
        Arc::new(Self {
            table,
            platform,
            routes,
            effects,
            default_namespace,
            busy: Mutex::default(),
        })
    }

    /// Whether this server alone deploys.
    pub fn is_exclusive(&self) -> bool {
        self.table.is_exclusive()
    }

    /// Goes on to its end when the caller leaves.
    pub async fn deploy(
        self: &Arc<Self>,
        actor: &Actor,
        request: DeployRequest,
    ) -> Result<DeployOutcome> {
        let (deployments, actor) = (self.clone(), actor.clone());
        let work = async move { deployments.deploy_in_turn(&actor, request).await };
        self.effects.run(work).await
    }

    async fn deploy_in_turn(
        self: &Arc<Self>,
        actor: &Actor,
        request: DeployRequest,
    ) -> Result<DeployOutcome> {
        self.check_namespace(&request.namespace)?;
        let image = self.image(&request).await?;
        let app_name = request.app_name.clone().unwrap_or_else(random_app_name);
        let app_name = self.platform_name(&app_name);
        // A task has no caller who waits, and one that is taken up again may meet its own deployment.
        let patience = request.id.as_ref().map_or(PATIENCE, |_| LONG_PATIENCE);
        let turn = self.turn(&app_name, patience).await?;
        let app: Option<AppRecord> = self.table.get(&keys::app(&app_name)).await?;
        let owner = self
            .owner(&request, &image, app.as_ref(), &app_name)
            .await?;
        if let Some(app) = &app
            && let (Some(id), Some(current)) = (&request.id, &app.deployment_id)
            && id == current
            && let Some(deployment) = self.find(id).await?
        {
            return Ok(DeployOutcome {
                deployment: deployment.deployment,
                warnings: Vec::new(),
            });
        }
        let foreign = foreign_image(&image, owner.as_ref());
        let mut record = new_record(actor, request, &image, app_name, owner.as_ref());
        self.begin(&record, owner.as_ref()).await?;
        let next = AppRecord::deployed(app.as_ref(), &record, &image, owner.as_ref());
        let deployed = match self.switch(&next).await {
            Ok(deployed) => deployed,
            Err(error) => {
                let shown = platform_error(error);
                self.fail(&mut record, &shown).await?;
                return Err(shown);
            }
        };
        let (made, made_in) = (deployed.app_name.clone(), next.namespace.clone());
        let mut recorded = self
            .succeed(&turn, &mut record, &image, next, deployed)
            .await;
        match &mut recorded {
            Ok(outcome) => outcome.warnings.extend(foreign),
            Err(error) => {
                drop(turn);
                self.restore(&made, &made_in).await;
                self.fail(&mut record, error).await?;
            }
        }
        recorded
    }

    async fn image(&self, request: &DeployRequest) -> Result<ImageRecord> {
        if let (Some(function), Some(number)) = (&request.function_id, request.version) {
            let version: Option<Version> = self.table.get(&keys::version(function, number)).await?;
            let version = version.ok_or_else(|| version_gone(number))?;
            return Ok(ImageRecord::of_version(&version, &request.image_ref));
        }
        let image = self.table.get(&keys::image(&request.image_ref)).await?;
        match image {
            None if self.platform.kind().runs_any_image() => {
                Ok(ImageRecord::of_others(&request.image_ref))
            }
            image => image.ok_or_else(|| image_unknown(&request.image_ref)),
        }
    }

    fn check_namespace(&self, namespace: &Namespace) -> Result<()> {
        match self.platform.namespaces() {
            Some(known) if !known.contains(namespace) => Err(unknown_namespace(namespace.as_str())),
            _ => Ok(()),
        }
    }

    /// Whose deployment it is: the function named, else the image's, else the app's owner, else nobody's. Another function's app is refused.
    async fn owner(
        &self,
        request: &DeployRequest,
        image: &ImageRecord,
        app: Option<&AppRecord>,
        app_name: &AppName,
    ) -> Result<Option<FunctionRecord>> {
        let id = request
            .function_id
            .clone()
            .or_else(|| image.function_id.clone())
            .or_else(|| app.and_then(|app| app.function_id.clone()));
        if let Some(main) = app.and_then(|app| app.canary_of.as_ref()) {
            return Err(Error::conflict(format!(
                "The app name {app_name} is that of {main}'s canary. Choose another name."
            ))
            .with_field("app_name"));
        }
        if app.is_some_and(|app| app.is_anothers(id.as_ref())) {
            return Err(Error::conflict(format!(
                "The app name {app_name} belongs to another function. Choose another name."
            ))
            .with_field("app_name"));
        }
        let Some(id) = id else { return Ok(None) };
        let owner = self.table.get_item(&keys::function_owner(&id)).await?;
        let Some(workspace) = owner
            .as_ref()
            .and_then(|item| item.get("workspace_id"))
            .and_then(serde_json::Value::as_str)
        else {
            // A label on the pod is all that older clients mean by it: a function unknown here gives an unattached app, kept for it.
            return Ok(None);
        };
        self.function(&WorkspaceId::parse(workspace)?, &id)
            .await
            .map(Some)
    }

    async fn function(&self, workspace: &WorkspaceId, id: &FunctionId) -> Result<FunctionRecord> {
        let function: Option<FunctionRecord> =
            self.table.get(&keys::function(workspace, id)).await?;
        function
            .filter(|function| !function.deleting)
            .ok_or_else(|| Error::not_found("function", id))
    }

    async fn find(&self, id: &DeploymentId) -> Result<Option<DeploymentRecord>> {
        let Some(place) = self.table.get::<Place>(&keys::deployment_owner(id)).await? else {
            return Ok(None);
        };
        self.table
            .get(&keys::deployment(&place.partition, id))
            .await
    }

    /// Newest first.
    pub async fn list(&self, function: &FunctionId, part: &PageQuery) -> Result<Page<Deployment>> {
        let list = Newest {
            partition: keys::function_partition(function),
            prefix: keys::DEPLOYMENT_PREFIX,
            stretches: WHOLE,
        };
        let page = list.part(&self.table, part, |_| true).await?;
        Ok(page.map(|record: DeploymentRecord| record.deployment))
    }

    pub fn default_namespace(&self) -> &Namespace {
        &self.default_namespace
    }

    /// What users call, for what serves.
    pub fn public_url(&self, app: &AppName, namespace: &Namespace) -> String {
        self.platform.endpoint(app, namespace)
    }
}

fn new_record(
    actor: &Actor,
    request: DeployRequest,
    image: &ImageRecord,
    app_name: AppName,
    owner: Option<&FunctionRecord>,
) -> DeploymentRecord {
    let function_id = owner.map(|function| function.id.clone());
    let is_version = owner.is_some() && image.function_id == function_id;
    DeploymentRecord {
        deployment: Deployment {
            id: request.id.unwrap_or_else(new_id::deployment_id),
            version: image.version.filter(|_| is_version),
            function_id,
            app_name,
            namespace: request.namespace,
            image_ref: request.image_ref,
            options: request.options,
            status: DeploymentStatus::Deploying,
            endpoint: None,
            error: None,
            created_at: Timestamp::now(),
            by: actor.name().to_owned(),
        },
        workspace_id: owner.map_or_else(
            || image.workspace_id.clone(),
            |function| Some(function.workspace_id.clone()),
        ),
        claimed_by: request.function_id.filter(|_| owner.is_none()),
    }
}

/// What to know of an image that was built for another function.
fn foreign_image(image: &ImageRecord, owner: Option<&FunctionRecord>) -> Option<String> {
    let (built_for, owner) = (image.function_id.as_ref()?, owner?);
    (*built_for != owner.id).then(|| {
        format!("The image was built for the function {built_for}: none of this function's versions serves now.")
    })
}

/// Deployments of a function are in its partition, others in their app's.
fn partition(deployment: &Deployment) -> String {
    deployment.function_id.as_ref().map_or_else(
        || keys::app_partition(&deployment.app_name),
        keys::function_partition,
    )
}

fn version_gone(number: u32) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!(
            "Version {number} is no longer kept. Build its source again, or deploy a newer version."
        ),
    )
    .with_field("version")
}

fn image_unknown(image: impl std::fmt::Display) -> Error {
    Error::validation(
        "image_ref",
        format!(
            "The image {image} is not known here. Build and push it first; its name is the task's image_url."
        ),
    )
}

fn unknown_namespace(namespace: &str) -> Error {
    Error::validation(
        "namespace",
        format!(
            "Namespace '{namespace}' not found. Create it first: kubectl create namespace {namespace}. On an embedded server, add it to BLUE_FAAS_NAMESPACES and restart."
        ),
    )
}

/// The platform cannot be asked now.
fn unavailable(message: impl Into<String>) -> Error {
    Error {
        retry_after: Some(10),
        ..Error::overloaded(message).with_operation("PLATFORM_CONNECTION_ERROR")
    }
}

fn platform_error(error: PlatformError) -> Error {
    match error {
        PlatformError::UnknownNamespace(namespace) => unknown_namespace(&namespace),
        PlatformError::Unrunnable(message) => {
            Error::new(ErrorKind::Validation, message).with_field("image_ref")
        }
        PlatformError::Taken(message) => Error::conflict(message).with_field("app_name"),
        PlatformError::Refused(message) => {
            Error::new(ErrorKind::Upstream, message).with_operation("DEPLOY_ERROR")
        }
        PlatformError::Unavailable(message) | PlatformError::Unconfirmed(message) => {
            unavailable(message)
        }
        PlatformError::Failed(cause) => internal("DEPLOY_ERROR", cause),
    }
}
