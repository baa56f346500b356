//! A menu that opens without script: `<details>` with a list. `browser::use_closing_menus` closes it again.

use leptos::prelude::*;

use super::button::{Size, Weight, button_class};
use super::icon::{Glyph, Icon};

/// The actions on a row. The children are `menu__item` links and buttons; `label` names the menu.
#[component]
pub fn RowMenu(#[prop(into)] label: String, children: Children) -> impl IntoView {
    view! {
        <details class="menu">
            <summary class=format!("{} button--icon", button_class(Weight::Ghost, Size::Small)) aria-label=label><Icon glyph=Glyph::More/></summary>
            <div class="menu__list">{children()}</div>
        </details>
    }
}

/// A link in a menu.
#[component]
pub fn MenuLink(
    #[prop(into)] href: String,
    #[prop(into)] label: String,
    #[prop(optional)] glyph: Option<Glyph>,
    #[prop(optional)] danger: bool,
) -> impl IntoView {
    let class = if danger {
        "menu__item menu__item--danger"
    } else {
        "menu__item"
    };
    view! {
        <a class=class href=href>
            {glyph.map(|glyph| view! { <Icon glyph/> })}
            {label}
        </a>
    }
}
