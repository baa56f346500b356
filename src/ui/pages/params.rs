//! What a page's address says, and addresses made from it.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use std::fmt::Write as _;

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

/// `path` with a query of the fields that have a value. Encoded here, so that server and browser write it alike.
pub fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    let mut href = path.to_owned();
    let mut separator = '?';
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        href.push(separator);
        separator = '&';
        href.push_str(name);
        href.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                href.push(char::from(byte));
            } else {
                _ = write!(href, "%{byte:02X}");
            }
        }
    }
    href
}

#[cfg(test)]
mod tests {
    use super::with_query;

    #[test]
    fn a_query_holds_what_has_a_value_and_is_encoded() {
        assert_eq!(
            with_query("/x", &[("q", "a b&c=결"), ("sort", ""), ("page", "2")]),
            "/x?q=a%20b%26c%3D%EA%B2%B0&page=2"
        );
        assert_eq!(with_query("/x", &[("q", "")]), "/x");
    }
}
