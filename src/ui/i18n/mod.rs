//! The texts of the console: a struct per area, so that a missing text does not compile. A language is one value of [`Messages`].

pub mod builds;
pub mod frame;
pub mod function;
pub mod functions;
pub mod logs;
pub mod number;
pub mod spin_apps;
pub mod time;
pub mod widgets;
pub mod workspace;

/// Every text of the console in one language.
pub struct Messages {
    /// The value of `<html lang>`.
    pub language: &'static str,
    pub frame: frame::FrameMessages,
    pub widgets: widgets::WidgetMessages,
    pub workspace: workspace::WorkspaceMessages,
    pub functions: functions::FunctionsMessages,
    pub function: function::FunctionMessages,
    pub builds: builds::BuildsMessages,
    pub logs: logs::LogsMessages,
    pub spin_apps: spin_apps::SpinAppMessages,
}

static ENGLISH: Messages = Messages {
    language: "en",
    frame: frame::ENGLISH,
    widgets: widgets::ENGLISH,
    workspace: workspace::ENGLISH,
    functions: functions::ENGLISH,
    function: function::ENGLISH,
    builds: builds::ENGLISH,
    logs: logs::ENGLISH,
    spin_apps: spin_apps::ENGLISH,
};

/// The texts in the language of the page.
pub fn use_i18n() -> &'static Messages {
    &ENGLISH
}
