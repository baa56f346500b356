//! Functions: create, read, change, list.

mod change;
mod create;
mod list;
pub mod record;
mod source;

use std::sync::Arc;

use super::actor::Actor;
use super::adoption;
use super::deployments::routes::Routes;
use super::effects::Effects;
use super::kept::{Kept, Stamp};
use super::new_id;
use super::paging::{Page, PageQuery};
use super::statistics::{Scope, Statistics};
use super::table::{Table, from_item};
use super::workspaces::{Workspaces, changed_meanwhile, etag, has_revision};
use crate::model::error::{Error, Result};
use crate::model::function::{Code, Function};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::workspace::Name;
use crate::port::blobs::Blobs;
use crate::port::builder::Builder;
use crate::port::keys;
use crate::port::store::{Condition, Query, Update, Write};

pub use change::{FunctionChange, parse_invocation_url};
pub use create::{NewFunction, NewPackage};
use list::Directory;
pub use record::FunctionRecord;
pub use source::{Draft, SourceUpload};
pub(super) use source::{entry_code, manifest_environment, manifest_hosts};

/// Records read at a time, at most.
const PAGE: usize = 1_000;
/// Workspaces whose functions' records are kept.
const KEPT_DIRECTORIES: usize = 8;

pub struct Functions {
    table: Table,
    blobs: Arc<dyn Blobs>,
    builder: Arc<dyn Builder>,
    statistics: Arc<Statistics>,
    workspaces: Arc<Workspaces>,
    routes: Arc<Routes>,
    effects: Effects,
    /// One change of a function at a time in this server; by the id's hash. Other servers' changes show in the revision.
    turns: [tokio::sync::Mutex<()>; 64],
    /// See [`Self::directory`].
    directories: Kept<Arc<Directory>>,
}

impl Functions {
    pub fn new(
        table: Table,
        blobs: Arc<dyn Blobs>,
        builder: Arc<dyn Builder>,
        statistics: Arc<Statistics>,
        workspaces: Arc<Workspaces>,
        routes: Arc<Routes>,
        effects: Effects,
    ) -> Arc<Self> {
        Arc::new(Self {
            table,
            blobs,
            builder,
            statistics,
            workspaces,
            routes,
            effects,
            turns: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
            directories: Kept::new(KEPT_DIRECTORIES),
        })
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

    /// The functions of a workspace, by id; with code when asked for.
    pub async fn list(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        with_code: bool,
        query: &PageQuery,
    ) -> Result<Page<Function>> {
        self.workspaces.record(workspace).await?;
        // One more than asked for tells whether there is a next part.
        let most = query.limit()?.map_or(usize::MAX, |limit| limit + 1);
        let list = format!("{workspace}/functions");
        let after = query.after(&list)?;
        let records = self.records_after(workspace, after, most).await?;
        let page = Page::of(&list, records, query, |record| record.id.to_string())?;
        let mut rows = Vec::with_capacity(page.rows.len());
        for record in page.rows {
            let code = if with_code {
                Some(self.code(&record).await?)
            } else {
                None
            };
            rows.push(self.view(record, code).await?);
        }
        Ok(Page {
            rows,
            next: page.next,
        })
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
        self.insert(std::slice::from_ref(&copy)).await?;
        self.view(copy, Some(code)).await
    }

    /// The stored record; one that is being deleted is not there.
    pub(super) async fn record(
        &self,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<FunctionRecord> {
        let record: Option<FunctionRecord> = self.table.get(&keys::function(workspace, id)).await?;
        let record = record
            .filter(|record| !record.deleting)
            .ok_or_else(|| Error::not_found("function", id))?;
        if record.revision == 0.0 {
            return adoption::adopt_function(&self.table, record).await;
        }
        Ok(record)
    }

    pub(super) async fn records(&self, workspace: &WorkspaceId) -> Result<Vec<FunctionRecord>> {
        self.records_after(workspace, None, usize::MAX).await
    }

    /// By id, those after this one, so many at most: what a part of a list costs does not grow with the list.
    async fn records_after(
        &self,
        workspace: &WorkspaceId,
        after: Option<String>,
        most: usize,
    ) -> Result<Vec<FunctionRecord>> {
        let partition = keys::workspace_partition(workspace);
        let mut query = Query::prefix(partition, keys::FUNCTION_PREFIX).limit(most.min(PAGE));
        query.after = after.map(|id| format!("{}{id}", keys::FUNCTION_PREFIX));
        let mut records: Vec<FunctionRecord> = Vec::new();
        loop {
            let page = self.table.page(&query).await?;
            let read = page.items.into_iter();
            let read = read.filter_map(|(key, item)| from_item::<FunctionRecord>(&key, item).ok());
            records.extend(read.filter(|record| !record.deleting));
            if page.next.is_none() || records.len() >= most {
                break;
            }
            query.after = page.next;
        }
        records.truncate(most);
        for record in records.iter_mut().filter(|record| record.revision == 0.0) {
            *record = adoption::adopt_function(&self.table, record.clone()).await?;
        }
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
        revision: Option<f64>,
    ) -> Result<()> {
        let mut conditions = vec![Condition::Exists, Condition::Missing("deleting".to_owned())];
        conditions.extend(revision.map(has_revision));
        let mark = Update::new(keys::function(workspace, id))
            .set("deleting", true)
            .when(Condition::All(conditions));
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
        let is_marked = self.table.try_transact(writes, None).await?;
        if !is_marked && revision.is_some() {
            return Err(changed_meanwhile());
        }
        // A second caller finds it marked already and goes on with the deletion.
        Ok(())
    }

    pub(super) async fn is_deleting(
        &self,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<bool> {
        let record: Option<FunctionRecord> = self.table.get(&keys::function(workspace, id)).await?;
        Ok(record.is_some_and(|record| record.deleting))
    }

    /// The last steps: code, counters, records. Absence is fine.
    pub(super) async fn remove(&self, workspace: &WorkspaceId, id: &FunctionId) -> Result<()> {
        let code = source::code_prefix(workspace, id);
        let deleted = self.blobs.delete_folder(&code).await;
        deleted.map_err(super::table::blob_error)?;
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
