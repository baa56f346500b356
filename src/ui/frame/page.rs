//! The part of a page that every page has: its main region, its title, its head.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::ui::i18n::use_i18n;
use crate::ui::widgets::icon::{Glyph, Icon};

/// The main region, and the document's title: `title` names the page, the product is added.
#[component]
pub fn Page(#[prop(into)] title: Signal<String>, children: Children) -> impl IntoView {
    let words = use_i18n();
    view! {
        <Title text=lasting_title(title, move |title| (words.frame.title)(title))/>
        <main class="page" id="main" tabindex="-1">{children()}</main>
    }
}

/// A page's title as it changes. The server reads it once more after the page was rendered, when what it is made of may be gone.
pub fn lasting_title(
    part: impl With<Value = String> + WithUntracked<Value = String> + Copy + Send + Sync + 'static,
    full: impl Fn(&str) -> String + Send + Sync + 'static,
) -> impl Fn() -> String + Send + Sync + 'static {
    let rendered = part.with_untracked(|part| full(part));
    move || {
        part.try_with(|part| full(part))
            .unwrap_or_else(|| rendered.clone())
    }
}

/// The way up on a small screen, where the header has no room for the path.
#[component]
pub fn BackLink(
    #[prop(into)] href: Signal<String>,
    #[prop(into)] label: Signal<String>,
) -> impl IntoView {
    view! { <a class="back" href=href><Icon glyph=Glyph::Left/>{label}</a> }
}

/// The page's heading and its one primary action.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    #[prop(optional, into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="page__head">
            <div>
                <h1>{title}</h1>
                {(!text.is_empty()).then(|| view! { <p>{text}</p> })}
            </div>
            {children.map(|children| view! { <div class="page__actions">{children()}</div> })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_there_when_what_it_is_made_of_is_gone() {
        let page = Owner::new();
        let (name, title) = page.with(|| {
            let name = RwSignal::new("shop".to_owned());
            (
                name,
                lasting_title(name, |name| format!("{name} · Blue FaaS")),
            )
        });
        name.set("orders".to_owned());
        assert_eq!(title(), "orders · Blue FaaS", "it follows the page");
        // Part of the page is rendered again before the head is written.
        page.cleanup();
        assert!(name.try_get_untracked().is_none());
        assert_eq!(title(), "shop · Blue FaaS");
    }
}
