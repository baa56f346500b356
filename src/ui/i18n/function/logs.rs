//! The Live logs tab.

use super::{Text, messages};

messages!(
    LogMessages {
        filter: Text = "Filter",
        filter_hint: Text = "Filter lines",
        level: Text = "Level",
        all: Text = "All",
        info: Text = "Info",
        warn: Text = "Warn",
        error: Text = "Error",
        pause: Text = "Pause",
        follow: Text = "Follow",
        copy_lines: Text = "Copy lines",
        download: Text = "Download the newest 1,000 lines as JSON",
        lines_label: Text = "Log lines",
        following: Text = "Following",
        paused: Text = "Paused",
        waiting_lines: fn(usize) -> String = |count| if count == 1 { "Paused, 1 new line".to_owned() } else { format!("Paused, {count} new lines") },
        count: fn(usize) -> String = |count| if count == 1 { "1 line".to_owned() } else { format!("{count} lines") },
        shown: fn(usize, usize) -> String = |shown, all| format!("{shown} of {all} lines"),
        zone: Text = "KST (+09:00)",
        outage: Text = "The log source does not answer; lines may be missing from here on. Trying again.",
        empty_title: Text = "No lines yet",
        empty_text: Text = "What the function prints appears here as it is called.",
        empty_step: Text = "Test the function",
        nothing: Text = "No line fits the filter.",
        level_info: Text = "INFO",
        level_warn: Text = "WARN",
        level_error: Text = "ERROR",
    }
);
