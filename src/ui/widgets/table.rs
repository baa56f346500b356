//! Parts of tables; rows are written where they are shown.

use leptos::prelude::*;

use super::card::Card;
use super::icon::{Glyph, Icon};

/// How a column takes part in the order of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortState {
    Unsorted,
    Ascending,
    Descending,
}

/// A column's head whose link sorts by it; pressing the current one turns the order round.
#[component]
pub fn SortHeader(
    #[prop(into)] label: String,
    /// The address of the list sorted by this column.
    #[prop(into)]
    href: String,
    state: SortState,
    /// As in `num col-wide`.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    let (order, glyph, icon_class) = match state {
        SortState::Unsorted => (None, Glyph::Sort, ""),
        SortState::Ascending => (Some("ascending"), Glyph::Descending, "table__sort--up"),
        SortState::Descending => (Some("descending"), Glyph::Descending, ""),
    };
    view! {
        <th scope="col" class=class aria-sort=order>
            <a class=format!("table__sort {icon_class}") href=href rel="nofollow">{label} " " <Icon glyph/></a>
        </th>
    }
}

/// The wrapper that keeps a wide table inside its place.
#[component]
pub fn TableWrap(children: Children) -> impl IntoView {
    view! { <div class="table-wrap">{children()}</div> }
}

/// A card with a table, or with words in its place while there is nothing to list.
#[component]
pub fn TableCard(
    title: &'static str,
    /// Beside the title.
    #[prop(optional)]
    note: &'static str,
    /// The words, when there is nothing.
    empty: Option<&'static str>,
    /// Above the table, as what became of a form in it.
    #[prop(optional, into)]
    notice: ViewFnOnce,
    /// The table's head and body.
    children: Children,
) -> impl IntoView {
    let note = (!note.is_empty()).then(|| view! { <span class="muted">{note}</span> });
    let content = match empty {
        Some(words) => view! { <p class="card__body muted">{words}</p> }.into_any(),
        None => {
            view! { <TableWrap><table class="table">{children()}</table></TableWrap> }.into_any()
        }
    };
    view! { <Card title end=move || note>{notice.run()}{content}</Card> }
}
