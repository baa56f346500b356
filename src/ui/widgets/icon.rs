//! Icons: symbols of one sprite file that the browser keeps.

use leptos::prelude::*;

/// A symbol of `public/icons.svg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    Alert,
    Back,
    Builds,
    Check,
    Chevron,
    Copy,
    Deploy,
    Descending,
    Download,
    Edit,
    Function,
    Info,
    Left,
    Lock,
    Logs,
    More,
    Open,
    Overview,
    Pause,
    Play,
    Plus,
    Power,
    Refresh,
    Right,
    Search,
    Settings,
    Sort,
    Stop,
    Trash,
    Upload,
    Close,
}

impl Glyph {
    /// The symbol's address.
    pub fn href(self) -> &'static str {
        match self {
            Self::Alert => "/icons.svg#alert",
            Self::Back => "/icons.svg#back",
            Self::Builds => "/icons.svg#builds",
            Self::Check => "/icons.svg#check",
            Self::Chevron => "/icons.svg#chev",
            Self::Copy => "/icons.svg#copy",
            Self::Deploy => "/icons.svg#deploy",
            Self::Descending => "/icons.svg#desc",
            Self::Download => "/icons.svg#down",
            Self::Edit => "/icons.svg#edit",
            Self::Function => "/icons.svg#fn",
            Self::Info => "/icons.svg#info",
            Self::Left => "/icons.svg#left",
            Self::Lock => "/icons.svg#lock",
            Self::Logs => "/icons.svg#logs",
            Self::More => "/icons.svg#more",
            Self::Open => "/icons.svg#open",
            Self::Overview => "/icons.svg#overview",
            Self::Pause => "/icons.svg#pause",
            Self::Play => "/icons.svg#play",
            Self::Plus => "/icons.svg#plus",
            Self::Power => "/icons.svg#power",
            Self::Refresh => "/icons.svg#refresh",
            Self::Right => "/icons.svg#right",
            Self::Search => "/icons.svg#search",
            Self::Settings => "/icons.svg#settings",
            Self::Sort => "/icons.svg#sort",
            Self::Stop => "/icons.svg#stop",
            Self::Trash => "/icons.svg#trash",
            Self::Upload => "/icons.svg#up",
            Self::Close => "/icons.svg#x",
        }
    }
}

/// Decoration: the words beside it, or the control's label, say what it means.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><use href=glyph.href()></use></svg> }
}

/// The product's mark: stem and disc.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" width="22" height="22" viewBox="2 0 21 24" aria-hidden="true">
            <rect class="stem" x="3" y="1.5" width="4.5" height="21" rx="1"></rect>
            <circle class="bowl" cx="15" cy="15.75" r="6.75"></circle>
            <path class="cut" d="M13.2 12.7v6.1l4.9-3.05z"></path>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::Glyph;

    #[test]
    fn every_glyph_is_in_the_sprite() {
        let sprite = include_str!("../../../public/icons.svg");
        let glyphs = [
            Glyph::Alert,
            Glyph::Back,
            Glyph::Builds,
            Glyph::Check,
            Glyph::Chevron,
            Glyph::Copy,
            Glyph::Deploy,
            Glyph::Descending,
            Glyph::Download,
            Glyph::Edit,
            Glyph::Function,
            Glyph::Info,
            Glyph::Left,
            Glyph::Lock,
            Glyph::Logs,
            Glyph::More,
            Glyph::Open,
            Glyph::Overview,
            Glyph::Pause,
            Glyph::Play,
            Glyph::Plus,
            Glyph::Power,
            Glyph::Refresh,
            Glyph::Right,
            Glyph::Search,
            Glyph::Settings,
            Glyph::Sort,
            Glyph::Stop,
            Glyph::Trash,
            Glyph::Upload,
            Glyph::Close,
        ];
        for glyph in glyphs {
            let name = glyph.href().rsplit('#').next().expect("an id");
            assert!(sprite.contains(&format!("<symbol id=\"{name}\"")), "{name}");
        }
    }
}
