//! The REST API of a running server, without builds.

mod concurrency;
mod durability;
mod errors;
mod function_changes;
mod functions;
mod lists;
mod requests;
mod retention;
mod scaffold;
mod spin_apps;
mod tasks;
mod workspaces;
