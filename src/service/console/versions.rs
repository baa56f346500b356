//! The page of a version, and the forms of versions and canaries.

use crate::model::canary::CanaryPlan;
use crate::model::error::{Error, Result};
use crate::model::form::{CanaryForm, VersionForm};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::version::{Label, VersionDetail, VersionDiff, VersionView};
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::paging::PageQuery;
use crate::service::versions::VersionChange;

impl Services {
    /// A version, the newest 100 of its function's, and what it has other than `against`.
    pub async fn version_page(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        version: u32,
        against: Option<u32>,
    ) -> Result<(VersionDetail, Vec<VersionView>, Option<VersionDiff>)> {
        let detail = self.versions.get(actor, workspace, id, version).await?;
        let part = PageQuery::default();
        let versions = self.versions.list(actor, workspace, id, &part).await?;
        let diff = match against {
            Some(from) => {
                let diff = self.versions.diff(actor, workspace, id, from, version);
                Some(diff.await?)
            }
            None => None,
        };
        Ok((detail, versions.rows, diff))
    }

    pub async fn mark_version(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        version: u32,
        form: VersionForm,
    ) -> Result<()> {
        let labels = form
            .labels
            .split([' ', ',', '\t'])
            .filter(|label| !label.is_empty())
            .map(Label::parse)
            .collect::<Result<_>>()?;
        let change = VersionChange {
            labels: Some(labels),
            pinned: Some(form.pinned == "yes"),
        };
        let versions = &self.versions;
        versions
            .update(actor, workspace, id, version, change)
            .await
            .map(drop)
    }

    pub async fn start_canary(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        form: CanaryForm,
    ) -> Result<()> {
        let number = |field: &str, text: &str| match text.trim() {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Error::validation(field, "Enter a whole number.")),
        };
        let required = |field: &str, text: &str| {
            number(field, text)?.ok_or_else(|| Error::validation(field, "Enter a whole number."))
        };
        let plan = CanaryPlan::parse(
            required("version", &form.version)?,
            required("percent", &form.percent)?,
            number("margin", &form.margin)?,
            number("min_calls", &form.min_calls)?,
        )?;
        let deployments = &self.deployments;
        deployments
            .start_canary(actor, workspace, id, plan)
            .await
            .map(drop)
    }
}
