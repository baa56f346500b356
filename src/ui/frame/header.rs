//! The header: mark, workspace, path.

use leptos::prelude::*;

use super::place::{Depth, Place, Section};
use super::switcher::Switcher;
use crate::model::error::Error;
use crate::model::workspace::Workspace;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::icon::Mark;

#[component]
pub fn Header(
    place: Memo<Place>,
    workspace: Resource<Result<Option<Workspace>, Error>>,
) -> impl IntoView {
    let words = &use_i18n().frame;
    view! {
        <header class="top">
            <a class="brand" href="/" aria-label=format!("{}, {}", words.product, words.all_workspaces)><Mark/><span>{words.product}</span></a>
            {move || {
                place
                    .get()
                    .workspace
                    .map(|id| {
                        view! {
                            <span class="top__slash only-wide" aria-hidden="true">"/"</span>
                            <Switcher id workspace/>
                            <Crumbs place/>
                        }
                    })
            }}
        </header>
    }
}

#[component]
fn Crumbs(place: Memo<Place>) -> impl IntoView {
    let words = &use_i18n().frame;
    let crumbs = move || {
        let Place {
            workspace,
            section,
            depth,
        } = place.get();
        let label = match section {
            Section::Overview => return None,
            Section::Functions => words.functions,
            Section::Builds => words.builds,
            Section::Logs => words.logs,
            Section::Settings => words.settings,
        };
        let here = if depth == Depth::Section {
            view! { <li><span aria-current="page">{label}</span></li> }.into_any()
        } else {
            view! { <li><a href=workspace.map(|workspace| section.href(&workspace))>{label}</a></li> }.into_any()
        };
        let create = (depth == Depth::Create)
            .then(|| view! { <li><span aria-current="page">{words.create}</span></li> });
        Some(
            view! { <nav class="crumbs" aria-label=words.breadcrumb><ol>{here}{create}</ol></nav> },
        )
    };
    view! { {crumbs} }
}
