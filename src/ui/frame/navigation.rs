//! The sections of a workspace: at the side, or at the bottom of a small screen.

use leptos::prelude::*;

use super::place::{Place, Section};
use crate::model::error::Error;
use crate::model::id::WorkspaceId;
use crate::model::workspace::Workspace;
use crate::ui::i18n::{number, use_i18n};
use crate::ui::widgets::icon::{Glyph, Icon};

fn look_of(section: Section) -> (Glyph, &'static str) {
    let words = &use_i18n().frame;
    match section {
        Section::Overview => (Glyph::Overview, words.overview),
        Section::Functions => (Glyph::Function, words.functions),
        Section::Builds => (Glyph::Builds, words.builds),
        Section::Logs => (Glyph::Logs, words.logs),
        Section::Settings => (Glyph::Settings, words.settings),
    }
}

fn links(workspace: &WorkspaceId, place: Memo<Place>, end: impl Fn(Section) -> AnyView) -> AnyView {
    Section::ALL
        .map(|section| {
            let (glyph, label) = look_of(section);
            let current = move || (place.with(|place| place.section) == section).then_some("page");
            view! { <a href=section.href(workspace) title=label aria-current=current><Icon glyph/>{label}{end(section)}</a> }
        })
        .collect_view()
        .into_any()
}

#[component]
pub fn Sidebar(
    place: Memo<Place>,
    workspace: Resource<Result<Option<Workspace>, Error>>,
) -> impl IntoView {
    let count = move |section| {
        if section != Section::Functions {
            return ().into_any();
        }
        view! {
            <Transition>
                {move || Suspend::new(async move {
                    workspace.await.ok().flatten().map(|workspace| view! { <span class="side__count">{number::count(workspace.function_count)}</span> })
                })}
            </Transition>
        }
        .into_any()
    };
    let id = Memo::new(move |_| place.with(|place| place.workspace.clone()));
    move || {
        id.get().map(|id| view! { <nav class="side" aria-label=use_i18n().frame.sections>{links(&id, place, count)}</nav> })
    }
}

#[component]
pub fn BottomBar(place: Memo<Place>) -> impl IntoView {
    let id = Memo::new(move |_| place.with(|place| place.workspace.clone()));
    move || {
        id.get().map(|id| view! { <nav class="bottom" aria-label=use_i18n().frame.sections>{links(&id, place, |_| ().into_any())}</nav> })
    }
}
