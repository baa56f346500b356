//! The REST API of a running server, without builds.

mod calls;
mod concurrency;
mod durability;
mod errors;
mod events;
mod function_changes;
mod functions;
mod idempotency;
mod lists;
mod long_lists;
mod paging;
mod reference;
mod requests;
mod retention;
mod scaffold;
mod spin_apps;
mod tasks;
mod workspace_logs;
mod workspaces;
