//! Changes of a function: settings, code, whole sources.

use std::sync::Arc;

use super::record::FunctionRecord;
use super::{Functions, SourceUpload, source};
use crate::model::error::{Error, Result};
use crate::model::function::{
    Code, Environment, Function, HttpMethods, InstanceReuse, Memory, OutboundHost, Timeout,
};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::workspace::{Description, Name};
use crate::port::keys;
use crate::port::store::{Condition, Update, Write};
use crate::service::actor::Actor;
use crate::service::table::to_item;
use crate::service::workspaces::{changed_meanwhile, check_etag, etag, has_revision};

/// A change; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct FunctionChange {
    pub name: Option<Name>,
    /// An empty one clears it.
    pub description: Option<Description>,
    pub memory: Option<Memory>,
    pub timeout: Option<Timeout>,
    pub http_methods: Option<HttpMethods>,
    pub environment: Option<Environment>,
    pub allowed_outbound_hosts: Option<Vec<OutboundHost>>,
    pub instance_reuse: Option<InstanceReuse>,
    /// An empty one clears it.
    pub invocation_url: Option<String>,
    pub code: Option<Code>,
    pub disabled: Option<bool>,
    pub deploy_on_save: Option<bool>,
    pub last_deployed: Option<Timestamp>,
}

impl FunctionChange {
    /// Whether anything but the time of deployment changes.
    fn modifies(&self) -> bool {
        self.name.is_some()
            || self.description.is_some()
            || self.memory.is_some()
            || self.timeout.is_some()
            || self.http_methods.is_some()
            || self.environment.is_some()
            || self.allowed_outbound_hosts.is_some()
            || self.instance_reuse.is_some()
            || self.invocation_url.is_some()
            || self.code.is_some()
            || self.deploy_on_save.is_some()
    }

    /// Whether what serves has to follow. It may run with the settings of an older version, which go when settings are saved.
    fn configures(&self) -> bool {
        self.memory.is_some()
            || self.timeout.is_some()
            || self.http_methods.is_some()
            || self.environment.is_some()
            || self.allowed_outbound_hosts.is_some()
            || self.instance_reuse.is_some()
            || self.disabled.is_some()
    }
}

impl Functions {
    async fn turn(&self, id: &FunctionId) -> tokio::sync::MutexGuard<'_, ()> {
        use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        self.turns[hash as usize % self.turns.len()].lock().await
    }

    /// Applies a change; settings take effect at once on what serves, code with the next deployment. `if_match` is an ETag that must still hold.
    pub async fn update(
        self: &Arc<Self>,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        change: FunctionChange,
        if_match: Option<&str>,
    ) -> Result<(Function, String)> {
        let (functions, workspace, id) = (self.clone(), workspace.clone(), id.clone());
        let if_match = if_match.map(ToOwned::to_owned);
        // What serves follows what is saved, also when the caller leaves in between.
        let work = async move {
            let if_match = if_match.as_deref();
            functions.change(&workspace, &id, change, if_match).await
        };
        self.effects.run(work).await
    }

    async fn change(
        &self,
        workspace: &WorkspaceId,
        id: &FunctionId,
        change: FunctionChange,
        if_match: Option<&str>,
    ) -> Result<(Function, String)> {
        let _turn = self.turn(id).await;
        // A racing writer moves the revision; our change is then laid on top of theirs, unless the caller asked to be told.
        for _ in 0..16 {
            let before = self.record(workspace, id).await?;
            check_etag(if_match, before.revision)?;
            let mut record = before.clone();
            self.apply(&mut record, &change).await?;
            // What is as it was moves no ETag that somebody else holds.
            let is_other = to_item(&record)? != to_item(&before)?;
            if is_other {
                record.revision += 1.0;
                if change.modifies() {
                    record.last_modified = Timestamp::now();
                }
            }
            let with_last_deployed = change.last_deployed.is_some();
            if !is_other
                || self
                    .replace(&record, before.revision, with_last_deployed)
                    .await?
            {
                if change.configures() {
                    let serves_with = self.routes.follow_function(&record).await?;
                    record.deployed_configuration = serves_with.or(record.deployed_configuration);
                }
                let code = self.code(&record).await?;
                let tag = etag(record.revision);
                return Ok((self.view(record, Some(code)).await?, tag));
            }
            if if_match.is_some_and(|tag| tag != "*") {
                return Err(changed_meanwhile());
            }
        }
        Err(Error::overloaded(
            "This function is being changed by many callers at once. Try again in a moment.",
        ))
    }

    async fn apply(&self, record: &mut FunctionRecord, change: &FunctionChange) -> Result<()> {
        if let Some(name) = &change.name {
            record.name = name.clone();
        }
        if let Some(description) = &change.description {
            record.description =
                Some(description.clone()).filter(|description| !description.as_str().is_empty());
        }
        if let Some(url) = &change.invocation_url {
            record.invocation_url = parse_invocation_url(url)?;
        }
        if let Some(code) = &change.code {
            self.store_code(record, code).await?;
        }
        record.memory = change.memory.unwrap_or(record.memory);
        record.timeout = change.timeout.unwrap_or(record.timeout);
        record.http_methods = change
            .http_methods
            .clone()
            .unwrap_or_else(|| record.http_methods.clone());
        record.environment_variables = change
            .environment
            .clone()
            .unwrap_or_else(|| record.environment_variables.clone());
        record.allowed_outbound_hosts = change
            .allowed_outbound_hosts
            .clone()
            .unwrap_or_else(|| record.allowed_outbound_hosts.clone());
        record.instance_reuse = change.instance_reuse.unwrap_or(record.instance_reuse);
        record.disabled = change.disabled.unwrap_or(record.disabled);
        record.deploy_on_save = change.deploy_on_save.unwrap_or(record.deploy_on_save);
        record.last_deployed = change.last_deployed.or(record.last_deployed);
        Ok(())
    }

    /// Writes what callers may change, when the revision is still `before`. What builds and deployments keep in the item stays as it is.
    async fn replace(
        &self,
        record: &FunctionRecord,
        before: f64,
        with_last_deployed: bool,
    ) -> Result<bool> {
        let mut set = to_item(record)?;
        for of_others in [
            "versions",
            "appName",
            "deploymentId",
            "deployedVersion",
            "deployedSource",
            "deployedConfiguration",
            "taskId",
            "work",
            "failed",
            "deleting",
        ] {
            set.remove(of_others);
        }
        if !with_last_deployed {
            set.remove("lastDeployed");
        }
        let mut update = Update::new(keys::function(&record.workspace_id, &record.id));
        let optional = [
            "description",
            "invocationUrl",
            "code",
            "codeKey",
            "codeSha256",
            "archiveKey",
            "archiveSha256",
        ];
        update.remove = optional
            .iter()
            .filter(|name| !set.contains_key(**name))
            .map(|name| (*name).to_owned())
            .collect();
        update.set = set;
        let same = has_revision(before);
        update.condition = Some(Condition::All(vec![Condition::Exists, same]));
        self.table
            .try_transact(vec![Write::Update(update)], None)
            .await
    }

    pub async fn set_enabled(
        self: &Arc<Self>,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        enabled: bool,
    ) -> Result<Function> {
        let change = FunctionChange {
            disabled: Some(!enabled),
            ..FunctionChange::default()
        };
        self.update(actor, workspace, id, change, None)
            .await
            .map(|(function, _)| function)
    }

    /// Replaces the whole source by an upload.
    pub async fn replace_source(
        self: &Arc<Self>,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        upload: SourceUpload,
        if_match: Option<&str>,
    ) -> Result<(Function, String)> {
        let (functions, actor) = (self.clone(), actor.clone());
        let (workspace, id) = (workspace.clone(), id.clone());
        let if_match = if_match.map(ToOwned::to_owned);
        let work = async move {
            functions
                .replace_whole(&workspace, &id, upload, if_match.as_deref())
                .await?;
            functions.get(&actor, &workspace, &id).await
        };
        self.effects.run(work).await
    }

    async fn replace_whole(
        &self,
        workspace: &WorkspaceId,
        id: &FunctionId,
        upload: SourceUpload,
        if_match: Option<&str>,
    ) -> Result<()> {
        let (tree, summary) = self.read_upload(&upload).await?;
        let _turn = self.turn(id).await;
        for _ in 0..16 {
            let mut record = self.record(workspace, id).await?;
            check_etag(if_match, record.revision)?;
            let before = record.revision;
            let entry = tree.files.get(&tree.entry);
            self.store_upload(&mut record, &upload, &summary, entry)
                .await?;
            record.revision += 1.0;
            record.last_modified = Timestamp::now();
            if let Some(manifest) = &tree.manifest {
                source::apply_manifest(&mut record, manifest)?;
            }
            if self.replace(&record, before, false).await? {
                if tree.manifest.is_some() {
                    self.routes.follow_function(&record).await?;
                }
                return Ok(());
            }
        }
        Err(Error::overloaded(
            "This function is being changed by many callers at once. Try again in a moment.",
        ))
    }
}

/// `invocationUrl` without a scheme gets `http://`; empty clears it.
pub fn parse_invocation_url(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || {
        Error::validation(
            "invocationUrl",
            "Write the address as http://host[:port]/path or https://host[:port]/path.",
        )
    };
    let url = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    // Readers of URLs skip slashes before a host, and make a host of what was meant as a path.
    let host = url.split_once("://").map_or("", |(_, rest)| rest);
    if host.starts_with(['/', '\\']) {
        return Err(wrong());
    }
    let parsed = reqwest::Url::parse(&url).map_err(|_| wrong())?;
    let fits = matches!(parsed.scheme(), "http" | "https")
        && parsed.host_str().is_some_and(|host| !host.is_empty())
        && parsed.username().is_empty()
        && parsed.password().is_none()
        && url.len() <= 2_048;
    if fits { Ok(Some(url)) } else { Err(wrong()) }
}
