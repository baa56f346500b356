//! Versions of a function: read, compared, labelled, pinned, deployed again.

mod compare;
pub mod marks;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::actor::Actor;
use super::builds::Builds;
use super::deployments::{DeployOutcome, Deployments};
use super::functions::{FunctionRecord, Functions};
use super::paging::{Page, PageQuery};
use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::version::{
    Label, MAX_LABELS, SourceFile, Version, VersionDetail, VersionDiff, VersionView,
};
use crate::port::builder::SourceTree;
use crate::port::keys;
use crate::port::store::{Condition, Write};
use marks::Marks;

/// Bytes of texts in one answer; files beyond are named without their content.
const MAX_TEXT: usize = 2 * 1024 * 1024;

/// What may change about a version; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct VersionChange {
    /// Replaces those that the version has.
    pub labels: Option<BTreeSet<Label>>,
    pub pinned: Option<bool>,
}

pub struct Versions {
    table: Table,
    functions: Arc<Functions>,
    builds: Arc<Builds>,
    deployments: Arc<Deployments>,
}

impl Versions {
    pub fn new(
        table: Table,
        functions: Arc<Functions>,
        builds: Arc<Builds>,
        deployments: Arc<Deployments>,
    ) -> Arc<Self> {
        Arc::new(Self {
            table,
            functions,
            builds,
            deployments,
        })
    }

    /// Newest first.
    pub async fn list(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        part: &PageQuery,
    ) -> Result<Page<VersionView>> {
        let function = self.functions.record(workspace, id).await?;
        let marks = Marks::of(&self.table, id).await?;
        let versions = self.builds.versions(id, part).await?;
        Ok(versions.map(|version| view(version, &function, &marks)))
    }

    pub async fn get(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        number: u32,
    ) -> Result<VersionDetail> {
        let function = self.functions.record(workspace, id).await?;
        let version = self.record(id, number).await?;
        let marks = Marks::of(&self.table, id).await?;
        let tree = self.source(workspace, &version).await?;
        let mut left = MAX_TEXT;
        let files = tree.files.into_iter().map(|(path, content)| SourceFile {
            path,
            size: content.len() as u64,
            content: text_within(&mut left, &content),
        });
        Ok(VersionDetail {
            files: files.collect(),
            entry: tree.entry,
            view: view(version, &function, &marks),
        })
    }

    /// What `to` has other than `from`.
    pub async fn diff(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        from: u32,
        to: u32,
    ) -> Result<VersionDiff> {
        self.functions.record(workspace, id).await?;
        let (old, new) = (self.record(id, from).await?, self.record(id, to).await?);
        // A source with the same hash is the same, and need not be read.
        let files = if old.source.sha256 == new.source.sha256 {
            Vec::new()
        } else {
            let old = self.source(workspace, &old).await?.files;
            let new = self.source(workspace, &new).await?.files;
            compare::files(old, new).await?
        };
        let (old, new) = (old.configuration, new.configuration);
        Ok(VersionDiff {
            from,
            to,
            files,
            configuration: old.changed_fields(&new),
            environment: old.changed_environment(&new),
            allowed_outbound_hosts: old.changed_hosts(&new),
        })
    }

    pub async fn update(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        number: u32,
        change: VersionChange,
    ) -> Result<VersionView> {
        if change
            .labels
            .as_ref()
            .is_some_and(|labels| labels.len() > MAX_LABELS)
        {
            return Err(Error::validation(
                "labels",
                format!("A version has at most {MAX_LABELS} labels. Leave some out."),
            ));
        }
        for _ in 0..16 {
            let function = self.functions.record(workspace, id).await?;
            let version = self.record(id, number).await?;
            let before = Marks::of(&self.table, id).await?;
            let mut marks = before.clone();
            if let Some(labels) = &change.labels {
                marks.set_labels(number, labels.iter().cloned());
            }
            if let Some(pinned) = change.pinned {
                marks.set_pinned(number, pinned);
            }
            let there = |key| Write::Check {
                key,
                condition: Condition::Exists,
            };
            let writes = vec![
                before.replaced_by(id, marks.clone())?,
                there(keys::version(id, number)),
                there(keys::function_owner(id)),
            ];
            if self.table.try_transact(writes, None).await? {
                return Ok(view(version, &function, &marks));
            }
        }
        Err(Error::overloaded(
            "The versions of this function are being changed by many callers at once. Try again in a moment.",
        ))
    }

    /// Lets a version serve: a rollback when it is an older one.
    pub async fn deploy(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        number: u32,
    ) -> Result<DeployOutcome> {
        let function = self.functions.record(workspace, id).await?;
        let version = self.record(id, number).await?;
        self.deployments
            .deploy_version(actor, &function, &version)
            .await
    }

    async fn record(&self, id: &FunctionId, number: u32) -> Result<Version> {
        self.table
            .get(&keys::version(id, number))
            .await?
            .ok_or_else(|| Error::not_found("version", number))
    }

    async fn source(&self, workspace: &WorkspaceId, version: &Version) -> Result<SourceTree> {
        self.builds.source_of(workspace, &version.task_id).await
    }
}

fn view(version: Version, function: &FunctionRecord, marks: &Marks) -> VersionView {
    VersionView {
        labels: marks.labels(version.number),
        pinned: marks.is_pinned(version.number),
        serving: function.deployed_version == Some(version.number),
        version: Version {
            configuration: version.configuration.masked(),
            ..version
        },
    }
}

/// A file's text, when it is one and there is room for it.
fn text_within(left: &mut usize, content: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(content)
        .ok()
        .filter(|text| !text.contains('\0') && text.len() <= *left)?;
    *left -= text.len();
    Some(text.to_owned())
}
