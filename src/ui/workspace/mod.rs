//! The parts of the screens of a workspace and of the first page.

pub mod api_examples;
pub mod build_rows;
pub mod cards;
pub mod code_template;
pub mod create_dialog;
pub mod danger;
pub mod delete_function_dialog;
pub mod execution_rows;
pub mod function_list;
pub mod function_rows;
pub mod import_form;
pub mod overview_parts;
pub mod search_form;
pub mod transfer;
