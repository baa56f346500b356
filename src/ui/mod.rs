//! The console: components only. It asks the server through `api` and shows `model`; `browser` is the one place for `web_sys`.

pub mod browser;
pub mod build;
pub mod deploy;
pub mod editor;
pub mod frame;
pub mod i18n;
pub mod observe;
pub mod pages;
pub mod settings;
pub mod test;
pub mod widgets;
pub mod workspace;
