//! The code editor: a textarea whose text is drawn by an overlay of highlighted lines. Without JavaScript it is the textarea alone.

pub mod code_editor;
pub mod conflict;
pub mod diff;
pub mod edit;
pub mod handler;
pub mod handler_card;
pub mod highlight;
mod keys;
mod overlay;
pub mod paint;
mod problems;
pub mod snippet;
pub mod source_view;
mod state;

pub use code_editor::CodeEditor;
pub use state::EditorState;
