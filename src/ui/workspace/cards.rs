//! Workspaces as cards of the first page.

use leptos::prelude::*;

use crate::model::workspace::WorkspaceCard;
use crate::ui::i18n::{number, time, use_i18n};
use crate::ui::widgets::relative_time::RelativeTime;
use crate::ui::widgets::status::error_rate_class;
use crate::ui::widgets::ticks::{Ticks, TicksLook};

/// The order of the cards: `?sort=` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CardOrder {
    #[default]
    Activity,
    Name,
    Created,
}

impl CardOrder {
    pub const ALL: [Self; 3] = [Self::Activity, Self::Name, Self::Created];

    pub fn key(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Name => "name",
            Self::Created => "created",
        }
    }

    pub fn from_key(key: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|order| order.key() == key)
            .unwrap_or_default()
    }
}

/// The cards with `search` in name or description, in `order`: newest first, names from a to z.
pub fn select_cards(
    mut cards: Vec<WorkspaceCard>,
    search: &str,
    order: CardOrder,
) -> Vec<WorkspaceCard> {
    let search = search.to_lowercase();
    cards.retain(|card| {
        let description = card
            .workspace
            .description
            .as_ref()
            .map_or("", |description| description.as_str());
        card.workspace
            .name
            .as_str()
            .to_lowercase()
            .contains(&search)
            || description.to_lowercase().contains(&search)
    });
    match order {
        CardOrder::Activity => cards
            .sort_by_key(|card| std::cmp::Reverse((card.last_activity, card.workspace.created_at))),
        CardOrder::Name => cards.sort_by_key(|card| card.workspace.name.as_str().to_lowercase()),
        CardOrder::Created => {
            cards.sort_by_key(|card| std::cmp::Reverse(card.workspace.created_at));
        }
    }
    cards
}

#[component]
pub fn Card(card: WorkspaceCard) -> impl IntoView {
    let words = &use_i18n().workspace;
    let WorkspaceCard {
        workspace,
        series,
        last_activity,
    } = card;
    let (description_class, description) = match workspace.description {
        Some(description) if !description.as_str().is_empty() => {
            ("ws__desc truncate", description.to_string())
        }
        _ => ("ws__desc muted", words.no_description.to_owned()),
    };
    let (rate_class, rate) = if workspace.invocations_24h == 0 {
        ("muted", use_i18n().widgets.none.to_owned())
    } else {
        (
            error_rate_class(workspace.error_rate),
            number::percent(workspace.error_rate),
        )
    };
    let activity = match last_activity {
        Some(at) => view! { <span>{words.last_activity} " " <RelativeTime at/></span> }.into_any(),
        None => view! { <span>{words.no_activity}</span> }.into_any(),
    };
    view! {
        <article class="ws">
            <div>
                <h2><a href=format!("/workspaces/{}", workspace.id)>{workspace.name.to_string()}</a></h2>
                <p class=description_class>{description}</p>
            </div>
            <Ticks series look=TicksLook::Tall/>
            <dl class="ws__facts">
                <div><dt>{words.invocations_24h}</dt><dd>{number::count(workspace.invocations_24h)}</dd></div>
                <div><dt>{words.error_rate_24h}</dt><dd class=rate_class>{rate}</dd></div>
                <div><dt>{words.functions}</dt><dd>{number::count(workspace.function_count)}</dd></div>
            </dl>
            <div class="ws__foot">
                {activity}
                <span>{words.created} " " <time datetime=workspace.created_at.to_string() title=time::exact(workspace.created_at)>{time::day(workspace.created_at)}</time></span>
            </div>
        </article>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::WorkspaceId;
    use crate::model::time::Timestamp;
    use crate::model::workspace::{Description, Name, Workspace};

    fn card(name: &str, description: &str, created: i64, active: Option<i64>) -> WorkspaceCard {
        WorkspaceCard {
            workspace: Workspace {
                id: WorkspaceId::parse("ws-1").expect("valid"),
                name: Name::parse(name).expect("valid"),
                description: Description::parse(description).ok(),
                created_at: Timestamp::from_seconds(created),
                function_count: 0,
                invocations_24h: 0,
                error_rate: 0.0,
            },
            series: Vec::new(),
            last_activity: active.map(Timestamp::from_seconds),
        }
    }

    fn names(cards: &[WorkspaceCard]) -> Vec<&str> {
        cards
            .iter()
            .map(|card| card.workspace.name.as_str())
            .collect()
    }

    #[test]
    fn cards_are_found_by_name_and_description_whatever_the_case() {
        let cards = vec![
            card("Payments", "", 1, None),
            card("Tools", "refund PAYMENT bot", 2, None),
            card("Other", "", 3, None),
        ];
        assert_eq!(
            names(&select_cards(cards, "payment", CardOrder::Name)),
            ["Payments", "Tools"]
        );
    }

    #[test]
    fn cards_without_activity_come_last_the_newest_of_them_first() {
        let cards = vec![
            card("old", "", 1, None),
            card("new", "", 9, None),
            card("busy", "", 2, Some(5)),
        ];
        assert_eq!(
            names(&select_cards(cards.clone(), "", CardOrder::Activity)),
            ["busy", "new", "old"]
        );
        assert_eq!(
            names(&select_cards(cards, "", CardOrder::Created)),
            ["new", "busy", "old"]
        );
    }
}
