//! Workspaces: a record each, and an entry in the directory that lists them.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::actor::Actor;
use super::adoption;
use super::kept::Stamp;
use super::new_id;
use super::paging::{Page, PageQuery};
use super::statistics::{Scope, Statistics};
use super::table::{Table, to_item};
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::figures::Figures;
use crate::model::id::WorkspaceId;
use crate::model::time::Timestamp;
use crate::model::workspace::{Description, Name, Workspace, WorkspaceCard};
use crate::port::keys;
use crate::port::store::{Condition, Query, Update, Write};

/// Seconds during which a server of a version before may still serve beside this one.
const UPGRADE: i64 = 3_600;

/// The workspace of build calls that name none.
pub const DEFAULT_WORKSPACE: &str = "ws-default";

/// A workspace as it is stored, twice: under its own key and in the directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkspaceRecord {
    pub id: WorkspaceId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    pub created_at: Timestamp,
    #[serde(default)]
    pub function_count: f64,
    /// Counts changes; the ETag.
    #[serde(default)]
    pub revision: f64,
    /// Being deleted: hidden from lists, refused to writers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleting: bool,
    /// Seconds: executions that began since are found by the activity (see [`super::executions`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_since: Option<f64>,
}

pub struct Workspaces {
    table: Table,
    statistics: Arc<Statistics>,
}

impl Workspaces {
    pub fn new(table: Table, statistics: Arc<Statistics>) -> Arc<Self> {
        Arc::new(Self { table, statistics })
    }

    pub async fn create(
        &self,
        _actor: &Actor,
        name: &str,
        description: Option<&str>,
    ) -> Result<(Workspace, String)> {
        let name = Name::parse(name)?;
        let description = parse_description(description)?;
        self.insert(new_id::workspace_id(), name, description).await
    }

    async fn insert(
        &self,
        id: WorkspaceId,
        name: Name,
        description: Option<Description>,
    ) -> Result<(Workspace, String)> {
        let record = WorkspaceRecord {
            id,
            name,
            description,
            created_at: Timestamp::now(),
            function_count: 0.0,
            revision: 1.0,
            deleting: false,
            activity_since: Some(0.0),
        };
        let item = to_item(&record)?;
        let writes = vec![
            Write::create(keys::workspace(&record.id), item.clone()),
            Write::create(keys::workspace_entry(&record.id), item),
        ];
        if self.table.try_transact(writes, None).await? {
            let etag = etag(record.revision);
            Ok((self.view(record).await?, etag))
        } else {
            Err(Error::conflict("A workspace with this id exists."))
        }
    }

    /// Makes the workspace of a build call when there is none: scripts of the first system name some that nobody made.
    pub async fn ensure(&self, _actor: &Actor, id: &WorkspaceId) -> Result<()> {
        match self.record(id).await {
            Err(missing) if missing.kind == ErrorKind::NotFound => {}
            found => return found.map(drop),
        }
        let (name, description) = if id.as_str() == DEFAULT_WORKSPACE {
            ("Default", Some("Builds that name no workspace"))
        } else {
            (id.as_str(), None)
        };
        let (name, description) = (Name::parse(name)?, parse_description(description)?);
        match self.insert(id.clone(), name, description).await {
            // Another call was quicker, or it is being deleted and so not there.
            Err(error) if error.kind == ErrorKind::Conflict => self.record(id).await.map(drop),
            made => made.map(drop),
        }
    }

    pub async fn get(&self, _actor: &Actor, id: &WorkspaceId) -> Result<Workspace> {
        self.view(self.record(id).await?).await
    }

    /// With the ETag.
    pub async fn get_tagged(
        &self,
        _actor: &Actor,
        id: &WorkspaceId,
    ) -> Result<(Workspace, String)> {
        let record = self.record(id).await?;
        let etag = etag(record.revision);
        Ok((self.view(record).await?, etag))
    }

    pub async fn list(&self, _actor: &Actor, query: &PageQuery) -> Result<Page<Workspace>> {
        let page = Page::of("workspaces", self.records().await?, query, |record| {
            format!("{}#{}", record.created_at.sort_key(), record.id)
        })?;
        let mut rows = Vec::with_capacity(page.rows.len());
        for record in page.rows {
            rows.push(self.view(record).await?);
        }
        Ok(Page {
            rows,
            next: page.next,
        })
    }

    /// What [`Self::list`] is made of.
    pub fn list_stamp(&self) -> Option<Stamp> {
        let [calls, step] = self.statistics.version(None);
        let workspaces = self.table.version(keys::WORKSPACES)?;
        Some(Stamp([workspaces, 0, calls, step]))
    }

    /// By last activity, then by creation, newest first.
    pub async fn list_cards(&self, _actor: &Actor) -> Result<Vec<WorkspaceCard>> {
        let mut cards = Vec::new();
        for record in self.records().await? {
            let scope = Scope::workspace(&record.id);
            let day = self.statistics.day_in_steps(&scope, 1_800).await?;
            cards.push(WorkspaceCard {
                workspace: viewed(record, &day.figures),
                series: day.series,
                last_activity: day.last_activity,
            });
        }
        cards
            .sort_by_key(|card| std::cmp::Reverse((card.last_activity, card.workspace.created_at)));
        Ok(cards)
    }

    /// Absent fields stay; an empty description clears it. `if_match` is an ETag that must still hold.
    pub async fn update(
        &self,
        _actor: &Actor,
        id: &WorkspaceId,
        name: Option<&str>,
        description: Option<&str>,
        if_match: Option<&str>,
    ) -> Result<Workspace> {
        let record = self.record(id).await?;
        let expected = expected_revision(if_match, record.revision)?;
        let mut changed = record.clone();
        if let Some(name) = name {
            changed.name = Name::parse(name)?;
        }
        if description.is_some() {
            changed.description = parse_description(description)?;
        }
        // Only what was given is written: another caller may change the rest at the same moment.
        let change = |key| {
            let mut update = Update::new(key)
                .add("revision", 1.0)
                .when(Condition::Exists);
            if name.is_some() {
                update = update.set("name", changed.name.as_str());
            }
            match &changed.description {
                Some(text) if description.is_some() => update.set("description", text.as_str()),
                None if description.is_some() => update.remove("description"),
                Some(_) | None => update,
            }
        };
        let mut checked = change(keys::workspace(id));
        if let Some(revision) = expected {
            checked.condition = Some(has_revision(revision));
        }
        let writes = vec![
            Write::Update(checked),
            Write::Update(change(keys::workspace_entry(id))),
        ];
        if !self.table.try_transact(writes, None).await? {
            return Err(if expected.is_some() {
                changed_meanwhile()
            } else {
                Error::not_found("workspace", id)
            });
        }
        changed.revision += 1.0;
        self.view(changed).await
    }

    /// Hides the workspace and refuses writers from now on; the first step of a deletion, which can be taken up again.
    pub(super) async fn mark_deleting(
        &self,
        id: &WorkspaceId,
        revision: Option<f64>,
    ) -> Result<()> {
        let mark = |key, condition| {
            let update = Update::new(key).set("deleting", true);
            Write::Update(update.when(condition))
        };
        let checked = revision.map_or(Condition::Exists, has_revision);
        let writes = vec![
            mark(keys::workspace(id), checked),
            mark(keys::workspace_entry(id), Condition::Exists),
        ];
        match (self.table.try_transact(writes, None).await?, revision) {
            (true, _) => Ok(()),
            (false, Some(_)) => Err(changed_meanwhile()),
            (false, None) => Err(Error::not_found("workspace", id)),
        }
    }

    /// The last step of a deletion.
    pub(super) async fn remove(&self, id: &WorkspaceId) -> Result<()> {
        self.statistics.delete(&Scope::workspace(id)).await?;
        // Another server may have finished it, and someone made a workspace with this id since.
        let is_deleting = Condition::Equals("deleting".to_owned(), true.into());
        let record = Write::Delete {
            key: keys::workspace(id),
            condition: Some(is_deleting),
        };
        let writes = vec![record, Write::delete(keys::workspace_entry(id))];
        self.table.try_transact(writes, None).await.map(drop)
    }

    pub(super) async fn is_deleting(&self, id: &WorkspaceId) -> Result<bool> {
        let record: Option<WorkspaceRecord> = self.table.get(&keys::workspace(id)).await?;
        Ok(record.is_some_and(|record| record.deleting))
    }

    pub(super) async fn deleting(&self) -> Result<Vec<WorkspaceId>> {
        let records: Vec<WorkspaceRecord> =
            self.table.all(Query::prefix(keys::WORKSPACES, "")).await?;
        Ok(records
            .into_iter()
            .filter(|record| record.deleting)
            .map(|record| record.id)
            .collect())
    }

    async fn records(&self) -> Result<Vec<WorkspaceRecord>> {
        let mut records: Vec<WorkspaceRecord> =
            self.table.all(Query::prefix(keys::WORKSPACES, "")).await?;
        records.retain(|record| !record.deleting);
        records.sort_by_key(|record| record.created_at);
        Ok(records)
    }

    pub(super) async fn record(&self, id: &WorkspaceId) -> Result<WorkspaceRecord> {
        let record: Option<WorkspaceRecord> = self.table.get(&keys::workspace(id)).await?;
        let record = record
            .filter(|record| !record.deleting)
            .ok_or_else(|| Error::not_found("workspace", id))?;
        if record.revision == 0.0 {
            return adoption::adopt_workspace(&self.table, record).await;
        }
        Ok(record)
    }

    /// Since when (seconds) the activity has all executions of a workspace: 0, or for one that is older than activities soon after it is first asked.
    pub(super) async fn activity_since(&self, record: &WorkspaceRecord) -> Result<i64> {
        const ATTRIBUTE: &str = "activitySince";
        if let Some(since) = record.activity_since {
            return Ok(since as i64);
        }
        let exclusive = self.table.is_exclusive();
        let since = Timestamp::now().seconds() + if exclusive { 1 } else { UPGRADE };
        let note = Update::new(keys::workspace(&record.id)).set(ATTRIBUTE, since);
        let is_first = Condition::All(vec![
            Condition::Exists,
            Condition::Missing(ATTRIBUTE.to_owned()),
        ]);
        let note = Write::Update(note.when(is_first));
        self.table.try_transact(vec![note], None).await?;
        Ok(since)
    }

    async fn view(&self, record: WorkspaceRecord) -> Result<Workspace> {
        let figures = self.statistics.day(&Scope::workspace(&record.id)).await?;
        Ok(viewed(record, &figures))
    }
}

fn viewed(record: WorkspaceRecord, figures: &Figures) -> Workspace {
    Workspace {
        id: record.id,
        name: record.name,
        description: record.description,
        created_at: record.created_at,
        function_count: record.function_count as u64,
        invocations_24h: figures.invocations,
        error_rate: figures.error_rate(),
    }
}

pub(super) fn parse_description(text: Option<&str>) -> Result<Option<Description>> {
    Ok(match text {
        None => None,
        Some(text) => {
            Some(Description::parse(text)?).filter(|description| !description.as_str().is_empty())
        }
    })
}

/// A strong ETag for a revision.
pub(super) fn etag(revision: f64) -> String {
    format!("\"{revision}\"")
}

pub(super) fn changed_meanwhile() -> Error {
    Error::new(
        ErrorKind::PreconditionFailed,
        "Someone else saved in the meantime. Reload to see their change, then save yours again.",
    )
}

/// Records of the first system have none.
pub(super) fn has_revision(revision: f64) -> Condition {
    let name = "revision".to_owned();
    if revision == 0.0 {
        Condition::Missing(name)
    } else {
        Condition::Equals(name, revision.into())
    }
}

/// The revision that a write must find, for an ETag that must still hold.
pub(super) fn expected_revision(if_match: Option<&str>, revision: f64) -> Result<Option<f64>> {
    check_etag(if_match, revision)?;
    Ok(if_match.filter(|tag| *tag != "*").map(|_| revision))
}

/// `None` and `*` match anything.
pub(super) fn check_etag(if_match: Option<&str>, revision: f64) -> Result<()> {
    match if_match {
        None | Some("*") => Ok(()),
        Some(tags) if tags.split(',').any(|tag| tag.trim() == etag(revision)) => Ok(()),
        Some(_) => Err(changed_meanwhile()),
    }
}
