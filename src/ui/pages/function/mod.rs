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

pub use code::FunctionCodePage;
pub use context::{FunctionContext, FunctionTab};
pub use deploy::FunctionDeployPage;
pub use executions::FunctionExecutionsPage;
pub use logs::FunctionLogsPage;
pub use metrics::FunctionMetricsPage;
pub use overview::FunctionOverviewPage;
pub use settings::FunctionSettingsPage;
pub use test::FunctionTestPage;
