//! The texts of a function's pages, a table per tab. A language that lacks one does not compile.

pub mod code;
pub mod deploy;
pub mod executions;
pub mod frame;
pub mod logs;
pub mod metrics;
pub mod overview;
pub mod replay;
pub mod settings;
pub mod test;
pub mod versions;

/// Declares a table of texts with its English column.
macro_rules! messages {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $english:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $name {
            pub const EN: Self = Self { $($field: $english,)* };
        }
    };
}
use messages;

/// A text without parameters.
pub type Text = &'static str;

messages!(FunctionMessages {
    frame: frame::FrameMessages = frame::FrameMessages::EN,
    overview: overview::OverviewMessages = overview::OverviewMessages::EN,
    code: code::CodeMessages = code::CodeMessages::EN,
    deploy: deploy::DeployMessages = deploy::DeployMessages::EN,
    test: test::TestMessages = test::TestMessages::EN,
    executions: executions::ExecutionMessages = executions::ExecutionMessages::EN,
    replay: replay::ReplayMessages = replay::ReplayMessages::EN,
    logs: logs::LogMessages = logs::LogMessages::EN,
    metrics: metrics::MetricMessages = metrics::MetricMessages::EN,
    settings: settings::SettingMessages = settings::SettingMessages::EN,
    versions: versions::VersionMessages = versions::VersionMessages::EN,
});

pub const ENGLISH: FunctionMessages = FunctionMessages::EN;
