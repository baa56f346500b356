//! One screen a file: it loads and lays out. [`bundles`] says which of them the browser loads together.

pub mod builds;
pub mod bundles;
pub mod function;
pub mod functions;
pub mod logs;
pub mod new_function;
pub mod not_found;
pub mod overview;
mod params;
pub mod workspace_settings;
pub mod workspaces;

pub use crate::model::address::with_query;
pub use params::{use_query, use_workspace_id, workspace_href};
