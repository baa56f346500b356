//! What screens are made of. One file a widget; its style has the same name under `style/widgets`.

pub mod button;
pub mod card;
pub mod chart;
pub mod copy_button;
pub mod dialog;
pub mod empty_state;
pub mod field;
pub mod icon;
pub mod load;
pub mod menu;
pub mod notice;
pub mod pagination;
pub mod relative_time;
pub mod scale;
pub mod settings_fields;
pub mod skeleton;
pub mod stat;
pub mod status;
pub mod table;
pub mod tabs;
pub mod ticks;
pub mod toast;
pub mod track;
