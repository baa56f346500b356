//! One screen a file: it loads and lays out. Each is a route of its own chunk.

pub mod builds;
pub mod function;
pub mod functions;
pub mod logs;
pub mod new_function;
pub mod not_found;
pub mod overview;
mod params;
pub mod workspace_settings;
pub mod workspaces;

pub use params::{use_query, use_workspace_id, with_query, workspace_href};
