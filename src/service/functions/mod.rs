//! Functions: create, read, change, list.

mod change;
mod list;
pub mod record;
mod source;

use std::sync::Arc;

use super::actor::Actor;
use super::deployments::routes::Routes;
use super::kept::Stamp;
use super::new_id;
use super::statistics::{Scope, Statistics};
use super::table::{Table, to_item};
use super::workspaces::{Workspaces, etag};
use crate::model::error::{Error, Result};
use crate::model::function::{
    Code, Environment, Function, HttpMethods, InstanceReuse, Memory, OutboundHost, RUNTIME, Timeout,
};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::workspace::{Description, Name};
use crate::port::blobs::Blobs;
use crate::port::builder::Builder;
use crate::port::keys;
use crate::port::store::{Condition, Query, Update, Write};

pub use change::{FunctionChange, parse_invocation_url};
pub use record::FunctionRecord;
pub use source::{Draft, SourceUpload};

/// What a new function is made of. Absent fields have their defaults.
#[derive(Clone, Debug)]
pub struct NewFunction {
    pub name: Name,
    pub description: Option<Description>,
    pub memory: Memory,
    pub timeout: Timeout,
    pub http_methods: HttpMethods,
    pub environment: Environment,
    pub allowed_outbound_hosts: Vec<OutboundHost>,
    pub instance_reuse: InstanceReuse,
    pub invocation_url: Option<String>,
    pub code: Code,
}

pub struct Functions {
    table: Table,
    blobs: Arc<dyn Blobs>,
    builder: Arc<dyn Builder>,
    statistics: Arc<Statistics>,
    workspaces: Arc<Workspaces>,
    routes: Arc<Routes>,
    /// One change of a function at a time in this server; by the id's hash. Other servers' changes show in the revision.
    turns: [tokio::sync::Mutex<()>; 64],
}

impl Functions {
    pub fn new(
        table: Table,
        blobs: Arc<dyn Blobs>,
        builder: Arc<dyn Builder>,
        statistics: Arc<Statistics>,
        workspaces: Arc<Workspaces>,
        routes: Arc<Routes>,
    ) -> Arc<Self> {
        Arc::new(Self {
            table,
            blobs,
            builder,
            statistics,
            workspaces,
            routes,
            turns: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
        })
    }

    pub async fn create(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        new: NewFunction,
    ) -> Result<Function> {
        self.workspaces.record(workspace).await?;
        let mut record = FunctionRecord {
            id: new_id::function_id(),
            workspace_id: workspace.clone(),
            name: new.name,
            description: new.description,
            runtime: RUNTIME.to_owned(),
            memory: new.memory,
            timeout: new.timeout,
            http_methods: new.http_methods,
            environment_variables: new.environment,
            allowed_outbound_hosts: new.allowed_outbound_hosts,
            instance_reuse: new.instance_reuse,
            code: None,
            code_key: None,
            code_sha256: None,
            archive_key: None,
            archive_sha256: None,
            source: None,
            invocation_url: new.invocation_url,
            disabled: false,
            last_modified: Timestamp::now(),
            last_deployed: None,
            revision: 1.0,
            versions: 0.0,
            app_name: None,
            deployment_id: None,
            deployed_version: None,
            deployed_source: None,
            deployed_configuration: None,
            task_id: None,
            work: None,
            failed: false,
            deleting: false,
        };
        self.store_code(&mut record, &new.code).await?;
        self.insert(&record).await?;
        self.view(record, Some(new.code)).await
    }

    async fn insert(&self, record: &FunctionRecord) -> Result<()> {
        let workspace = &record.workspace_id;
        let alive = || {
            Condition::All(vec![
                Condition::Exists,
                Condition::Missing("deleting".to_owned()),
            ])
        };
        let count = |key| Write::Update(Update::new(key).add("functionCount", 1.0).when(alive()));
        let owner = to_item(&serde_json::json!({"workspace_id": workspace}))?;
        let writes = vec![
            Write::create(keys::function(workspace, &record.id), to_item(record)?),
            Write::create(keys::function_owner(&record.id), owner),
            count(keys::workspace(workspace)),
            count(keys::workspace_entry(workspace)),
        ];
        if self.table.try_transact(writes, None).await? {
            Ok(())
        } else {
            Err(Error::not_found("workspace", workspace))
        }
    }

    pub async fn get(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<(Function, String)> {
        let record = self.record(workspace, id).await?;
        let tag = etag(record.revision);
        let code = self.code(&record).await?;
        Ok((self.view(record, Some(code)).await?, tag))
    }

    /// The workspace of a function, for paths that do not name it.
    pub async fn workspace_of(&self, id: &FunctionId) -> Result<WorkspaceId> {
        let owner = self.table.get_item(&keys::function_owner(id)).await?;
        let workspace = owner
            .as_ref()
            .and_then(|item| item.get("workspace_id"))
            .and_then(|value| value.as_str());
        workspace.map_or_else(|| Err(Error::not_found("function", id)), WorkspaceId::parse)
    }

    /// All functions of a workspace, by name; with code when asked for.
    pub async fn list(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        with_code: bool,
    ) -> Result<Vec<Function>> {
        self.workspaces.record(workspace).await?;
        let mut functions = Vec::new();
        for record in self.records(workspace).await? {
            let code = if with_code {
                Some(self.code(&record).await?)
            } else {
                None
            };
            functions.push(self.view(record, code).await?);
        }
        Ok(functions)
    }

    /// What [`Self::list`] is made of.
    pub fn list_stamp(&self, workspace: &WorkspaceId) -> Option<Stamp> {
        let [calls, step] = self.statistics.version(Some(&Scope::workspace(workspace)));
        let functions = self.table.version(&keys::workspace_partition(workspace))?;
        Some(Stamp([functions, 0, calls, step]))
    }

    /// A copy with code and settings, never deployed.
    pub async fn duplicate(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<Function> {
        let original = self.record(workspace, id).await?;
        let code = self.code(&original).await?;
        let mut name: String = original.name.as_str().chars().take(59).collect();
        name.push_str(" copy");
        let mut copy = FunctionRecord {
            id: new_id::function_id(),
            name: Name::parse(name)?,
            last_modified: Timestamp::now(),
            last_deployed: None,
            invocation_url: None,
            revision: 1.0,
            versions: 0.0,
            app_name: None,
            deployment_id: None,
            deployed_version: None,
            deployed_source: None,
            deployed_configuration: None,
            task_id: None,
            work: None,
            failed: false,
            disabled: false,
            ..original.clone()
        };
        self.copy_source(&original, &mut copy, &code).await?;
        self.insert(&copy).await?;
        self.view(copy, Some(code)).await
    }

    /// The stored record; one that is being deleted is not there.
    pub(super) async fn record(
        &self,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<FunctionRecord> {
        let record: Option<FunctionRecord> = self.table.get(&keys::function(workspace, id)).await?;
        record
            .filter(|record| !record.deleting)
            .ok_or_else(|| Error::not_found("function", id))
    }

    pub(super) async fn records(&self, workspace: &WorkspaceId) -> Result<Vec<FunctionRecord>> {
        let mut records: Vec<FunctionRecord> = self
            .table
            .all(Query::prefix(
                keys::workspace_partition(workspace),
                keys::FUNCTION_PREFIX,
            ))
            .await?;
        records.retain(|record| !record.deleting);
        Ok(records)
    }

    pub(super) async fn view(
        &self,
        record: FunctionRecord,
        code: Option<Code>,
    ) -> Result<Function> {
        let figures = self.statistics.day(&Scope::function(&record.id)).await?;
        Ok(record.view(&figures, code))
    }

    /// The first step of a deletion: hides the function; can be taken up again.
    pub(super) async fn mark_deleting(
        &self,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<()> {
        let mark = Update::new(keys::function(workspace, id))
            .set("deleting", true)
            .when(Condition::All(vec![
                Condition::Exists,
                Condition::Missing("deleting".to_owned()),
            ]));
        let uncount = |key| {
            Write::Update(
                Update::new(key)
                    .add("functionCount", -1.0)
                    .when(Condition::Exists),
            )
        };
        let writes = vec![
            Write::Update(mark),
            uncount(keys::workspace(workspace)),
            uncount(keys::workspace_entry(workspace)),
            Write::delete(keys::function_owner(id)),
        ];
        // A second caller finds it marked already and goes on with the deletion.
        self.table.try_transact(writes, None).await.map(drop)
    }

    /// The last steps: code, counters, records. Absence is fine.
    pub(super) async fn remove(&self, workspace: &WorkspaceId, id: &FunctionId) -> Result<()> {
        for blob in self
            .blobs
            .list(&source::code_prefix(workspace, id))
            .await
            .map_err(super::table::blob_error)?
        {
            self.blobs
                .delete(&blob.key)
                .await
                .map_err(super::table::blob_error)?;
        }
        self.table
            .delete_partition(&keys::function_partition(id), "")
            .await?;
        self.statistics.delete(&Scope::function(id)).await?;
        self.table
            .write(Write::delete(keys::function(workspace, id)))
            .await
    }

    /// Reads an upload without running any of it.
    pub(super) async fn read_upload(
        &self,
        upload: &SourceUpload,
    ) -> Result<(
        crate::port::builder::SourceTree,
        crate::model::source::SourceSummary,
    )> {
        self.builder
            .read_source(upload.raw()?)
            .await
            .map_err(|error| source::upload_error(&error))
    }
}
