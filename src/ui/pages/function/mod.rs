//! The pages of one function: a tab each, under one header.

mod code;
mod context;
mod delete_dialog;
mod deploy;
mod executions;
mod frame;
mod header;
mod header_actions;
mod logs;
mod metrics;
mod overview;
mod settings;
mod test;
mod version;

pub use code::CodeTab;
pub use context::{FunctionContext, FunctionTab};
pub use deploy::DeployTab;
pub use executions::ExecutionsTab;
pub use logs::LogsTab;
pub use metrics::MetricsTab;
pub use overview::OverviewTab;
pub use settings::SettingsTab;
pub use test::TestTab;
pub use version::VersionTab;
