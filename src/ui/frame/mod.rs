//! What surrounds every page: header, sidebar, bottom bar, footer.

mod header;
mod navigation;
mod page;
mod place;
mod switcher;

use leptos::prelude::*;
use leptos_router::hooks::use_location;

pub use page::{BackLink, Page, PageHead, lasting_title};
pub use place::{Place, Section};

use crate::api::workspaces::get_workspace;
use crate::model::error::Error;
use crate::model::workspace::Workspace;
use crate::ui::i18n::use_i18n;
use crate::ui::widgets::toast::ToastRegion;
use header::Header;
use navigation::{BottomBar, Sidebar};

/// The workspace that the address is in, asked for anew with every address so that its name and counts are never stale.
#[derive(Clone, Copy)]
pub struct CurrentWorkspace(Resource<Result<Option<Workspace>, Error>>);

impl CurrentWorkspace {
    /// `None` outside a workspace. To be read inside a `Load` or a `Transition`.
    pub fn resource(self) -> Resource<Result<Option<Workspace>, Error>> {
        self.0
    }

    /// After a change of the workspace that did not change the address.
    pub fn refresh(self) {
        self.0.refetch();
    }
}

pub fn use_current_workspace() -> CurrentWorkspace {
    expect_context()
}

/// The children are the routes; each page brings its own `<main>`, as [`Page`].
#[component]
pub fn Frame(children: Children) -> impl IntoView {
    let location = use_location();
    let place = Memo::new(move |_| location.pathname.with(|path| Place::of(path)));
    let pathname = location.pathname;
    let workspace = Resource::new(
        move || (place.get().workspace, pathname.get()),
        |(workspace, _)| async move {
            match workspace {
                Some(id) => get_workspace(id).await.map(Some),
                None => Ok(None),
            }
        },
    );
    provide_context(CurrentWorkspace(workspace));
    let class = move || {
        if place.with(|place| place.workspace.is_some()) {
            "frame"
        } else {
            "frame frame--bare"
        }
    };
    let words = &use_i18n().frame;
    view! {
        <div class=class>
            <a class="skip button" href="#main">{words.skip}</a>
            <Header place workspace/>
            <Sidebar place workspace/>
            <div class="main">
                {children()}
                <footer class="foot">
                    <span>{words.product} " " {env!("CARGO_PKG_VERSION")}</span>
                    // Not a page of the console: the browser has to load it.
                    <a href="/health" rel="external">{words.health}</a>
                </footer>
            </div>
        </div>
        <BottomBar place/>
        <ToastRegion/>
    }
}
