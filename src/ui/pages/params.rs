//! What a page's address says, and addresses made from it.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::model::error::Error;
use crate::model::id::WorkspaceId;

/// The workspace of the address; an error when it is no id.
pub fn use_workspace_id() -> Memo<Result<WorkspaceId, Error>> {
    let params = use_params_map();
    Memo::new(move |_| {
        WorkspaceId::parse(params.with(|params| params.get("ws")).unwrap_or_default())
    })
}

/// A field of the address's query, `None` when it is missing or blank.
pub fn use_query(name: &'static str) -> Memo<Option<String>> {
    let query = use_query_map();
    Memo::new(move |_| {
        query
            .with(|query| query.get(name))
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    })
}

/// An address in a workspace, as in `/workspaces/ws-1/functions`; the first page when the address names none.
pub fn workspace_href(workspace: &Result<WorkspaceId, Error>, rest: &str) -> String {
    workspace.as_ref().map_or_else(
        |_| "/".to_owned(),
        |workspace| format!("/workspaces/{workspace}{rest}"),
    )
}
