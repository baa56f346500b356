//! A titled surface. A card never holds a card.

use leptos::prelude::*;

/// A section with a heading. The children bring their own `card__body`, list or table.
#[component]
pub fn Card(
    #[prop(into)] title: String,
    /// What stands at the end of the header: a link, a badge, a filter.
    #[prop(optional, into)]
    end: ViewFnOnce,
    /// Added to `card`, as in `card--danger`.
    #[prop(optional)]
    class: &'static str,
    children: Children,
) -> impl IntoView {
    let class = if class.is_empty() {
        "card".to_owned()
    } else {
        format!("card {class}")
    };
    view! {
        <section class=class>
            <div class="card__header"><h2>{title}</h2>{end.run()}</div>
            {children()}
        </section>
    }
}
