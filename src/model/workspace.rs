//! Workspaces: functions that belong together.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{Error, Result};
use super::execution::ExecutionSummary;
use super::figures::{Figures, Point};
use super::id::{WorkspaceId, text_type};
use super::task::TaskView;
use super::time::Timestamp;

/// Longest name of a workspace or function, in characters.
pub const MAX_NAME: usize = 64;
/// Longest description of a workspace or function, in characters.
pub const MAX_DESCRIPTION: usize = 1_024;

pub(super) fn parse_name(text: &str) -> Result<String> {
    let name = text.trim();
    if name.is_empty() {
        return Err(Error::validation("name", "Enter a name."));
    }
    // As it was sent: so the rule can be told without knowing what is trimmed.
    if text.chars().count() > MAX_NAME {
        return Err(Error::validation(
            "name",
            format!("Shorten the name to at most {MAX_NAME} characters."),
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::validation(
            "name",
            "Remove line breaks and control characters from the name.",
        ));
    }
    Ok(name.to_owned())
}

pub(super) fn parse_description(text: &str) -> Result<String> {
    let description = text.trim();
    if text.chars().count() > MAX_DESCRIPTION {
        return Err(Error::validation(
            "description",
            format!("Shorten the description to at most {MAX_DESCRIPTION} characters."),
        ));
    }
    Ok(description.to_owned())
}

text_type!(
    /// Trimmed, not blank, at most 64 characters.
    #[schema(
        min_length = 1, max_length = 64, example = "Payments",
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    Name,
    parse_name
);
text_type!(
    /// Trimmed, at most 1,024 characters, may be empty.
    #[schema(max_length = 1024)]
    Description,
    parse_description
);

/// A workspace as clients read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    pub created_at: Timestamp,
    pub function_count: u64,
    pub invocations_24h: u64,
    /// errors / invocations × 100, 0 without any.
    pub error_rate: f64,
}

/// A workspace as a card of the first page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceCard {
    pub workspace: Workspace,
    /// 24 hours in half-hour steps, oldest first.
    pub series: Vec<Point>,
    pub last_activity: Option<Timestamp>,
}

/// What the overview of a workspace shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceOverview {
    pub workspace: Workspace,
    pub active_functions: u64,
    pub disabled_functions: u64,
    pub figures: Figures,
    /// 24 hours in half-hour steps, oldest first.
    pub series: Vec<Point>,
    /// The ten newest executions.
    pub executions: Vec<ExecutionSummary>,
    /// The five newest builds.
    pub builds: Vec<TaskView>,
}
