//! New functions: one, or several that appear together.

use bytes::Bytes;

use super::Functions;
use super::record::FunctionRecord;
use crate::model::error::{Error, Result};
use crate::model::function::{
    Code, Environment, Function, HttpMethods, InstanceReuse, Memory, OutboundHost, RUNTIME, Timeout,
};
use crate::model::id::WorkspaceId;
use crate::model::source::SourceSummary;
use crate::model::time::Timestamp;
use crate::model::workspace::{Description, Name};
use crate::port::keys;
use crate::port::store::{Condition, Update, Write};
use crate::service::actor::Actor;
use crate::service::new_id;
use crate::service::table::to_item;
use crate::service::workspaces::etag;

/// Functions made in one transaction at most: with code and environment inline they stay below the 4 MB that DynamoDB takes.
const TOGETHER: usize = 24;

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
    pub deploy_on_save: bool,
    pub disabled: bool,
    pub last_deployed: Option<Timestamp>,
    /// The module that is edited; a package's entry.
    pub code: Code,
    pub package: Option<NewPackage>,
}

/// The archive of a package, already read.
#[derive(Clone, Debug)]
pub struct NewPackage {
    pub archive: Bytes,
    pub summary: SourceSummary,
}

impl Functions {
    pub async fn create(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        new: NewFunction,
    ) -> Result<(Function, String)> {
        self.workspaces.record(workspace).await?;
        let code = new.code.clone();
        let record = self.store_new(workspace, new).await?;
        self.insert(std::slice::from_ref(&record)).await?;
        let tag = etag(record.revision);
        Ok((self.view(record, Some(code)).await?, tag))
    }

    /// Makes all of them or, when one cannot be made, none. Answers them without code, in the order given.
    pub async fn create_all(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        all: Vec<NewFunction>,
    ) -> Result<Vec<Function>> {
        self.workspaces.record(workspace).await?;
        let mut records = Vec::new();
        let mut made = Ok(());
        for new in all {
            match self.store_new(workspace, new).await {
                Ok(record) => records.push(record),
                Err(error) => {
                    made = Err(error);
                    break;
                }
            }
        }
        let mut inserted = 0;
        for together in records.chunks(TOGETHER) {
            if made.is_ok() {
                made = self.insert(together).await;
                inserted += if made.is_ok() { together.len() } else { 0 };
            }
        }
        if let Err(error) = made {
            self.take_back(&records, inserted).await;
            return Err(error);
        }
        let mut functions = Vec::new();
        for record in records {
            functions.push(self.view(record, None).await?);
        }
        Ok(functions)
    }

    /// Removes what a failure left of new functions, the first `inserted` of which can be seen.
    async fn take_back(&self, records: &[FunctionRecord], inserted: usize) {
        for (index, record) in records.iter().enumerate() {
            let (workspace, id) = (&record.workspace_id, &record.id);
            let marked = if index < inserted {
                self.mark_deleting(workspace, id, None).await
            } else {
                Ok(())
            };
            let removed = match marked {
                Ok(()) => self.remove(workspace, id).await,
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                tracing::warn!(function = %id, %error, "a function whose import failed could not be removed");
            }
        }
    }

    /// The record of a new function; its objects are in the blobs already.
    async fn store_new(&self, workspace: &WorkspaceId, new: NewFunction) -> Result<FunctionRecord> {
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
            disabled: new.disabled,
            deploy_on_save: new.deploy_on_save,
            last_modified: Timestamp::now(),
            last_deployed: new.last_deployed,
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
        if let Some(package) = &new.package {
            self.store_archive(&mut record, &package.archive, &package.summary)
                .await?;
        }
        self.store_code(&mut record, &new.code).await?;
        Ok(record)
    }

    /// Makes functions of one workspace visible, in one transaction.
    pub(super) async fn insert(&self, records: &[FunctionRecord]) -> Result<()> {
        let Some(workspace) = records.first().map(|record| &record.workspace_id) else {
            return Ok(());
        };
        let alive = || {
            Condition::All(vec![
                Condition::Exists,
                Condition::Missing("deleting".to_owned()),
            ])
        };
        let added = records.len() as f64;
        let count = |key| Write::Update(Update::new(key).add("functionCount", added).when(alive()));
        let owner = to_item(&serde_json::json!({"workspace_id": workspace}))?;
        let mut writes = vec![
            count(keys::workspace(workspace)),
            count(keys::workspace_entry(workspace)),
        ];
        for record in records {
            writes.push(Write::create(
                keys::function(workspace, &record.id),
                to_item(record)?,
            ));
            writes.push(Write::create(
                keys::function_owner(&record.id),
                owner.clone(),
            ));
        }
        if self.table.try_transact(writes, None).await? {
            Ok(())
        } else {
            Err(Error::not_found("workspace", workspace))
        }
    }
}
