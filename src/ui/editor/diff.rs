//! The lines that differ between two texts, as they are shown.

use leptos::prelude::*;

use crate::model::diff::{DiffLine, Side};

/// The lines with their signs.
pub fn diff_view(lines: &[DiffLine<'_>]) -> impl IntoView + use<> {
    let rows = lines
        .iter()
        .map(|(side, line)| {
            let (class, sign) = match side {
                Side::Both => ("", " "),
                Side::Old => ("bad", "-"),
                Side::New => ("good", "+"),
                Side::Gap => ("muted", "…"),
            };
            view! { <div class=class><span>{format!("{sign} {line}")}</span></div> }
        })
        .collect_view();
    view! { <div class="code"><div class="output" tabindex="0">{rows}</div></div> }
}
