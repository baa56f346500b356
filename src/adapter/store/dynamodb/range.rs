//! A query's range as DynamoDB takes it.

use aws_sdk_dynamodb::types::AttributeValue;

use super::attribute::{PK, SK};
use super::expression::Aliases;
use crate::adapter::store::limits::{MAX_PK, MAX_SK};
use crate::port::store::{Query, SortRange};

/// A query that can have items. One that cannot is not sent: DynamoDB refuses a range whose ends are the wrong way round, and a start outside it.
pub(super) struct Range {
    pub condition: String,
    pub aliases: Aliases,
    /// The sort key to go on after, within the range.
    pub after: Option<String>,
}

impl Range {
    /// `None` when no item can be found.
    pub fn of(query: &Query) -> Option<Self> {
        if query.pk.is_empty() || query.pk.len() > MAX_PK {
            return None;
        }
        let after = match &query.after {
            None => None,
            Some(after) => match (place(after, &query.range), query.forward) {
                (Place::Within, _) => Some(after.clone()),
                (Place::Before, true) | (Place::Behind, false) => None,
                (Place::Before, false) | (Place::Behind, true) => return None,
            },
        };
        let mut aliases = Aliases::default();
        let is = |name: &str, operator: &str, value: &str, aliases: &mut Aliases| {
            let value = aliases.value(AttributeValue::S(value.to_owned()));
            format!("{} {operator} {value}", aliases.name(name))
        };
        let mut condition = is(PK, "=", &query.pk, &mut aliases);
        // An empty text is no key, so a range from there has no beginning.
        let sort = match &query.range {
            SortRange::All => None,
            SortRange::Prefix(prefix) if prefix.is_empty() => None,
            SortRange::Prefix(prefix) if prefix.len() > MAX_SK => return None,
            SortRange::Prefix(prefix) => {
                let (name, value) = (
                    aliases.name(SK),
                    aliases.value(AttributeValue::S(prefix.clone())),
                );
                Some(format!("begins_with({name}, {value})"))
            }
            SortRange::Between(first, last) if first > last || last.is_empty() => return None,
            SortRange::Between(first, last) if first.is_empty() => {
                Some(is(SK, "<=", last, &mut aliases))
            }
            SortRange::Between(first, last) => {
                let from = is(SK, "BETWEEN", first, &mut aliases);
                let to = aliases.value(AttributeValue::S(last.clone()));
                Some(format!("{from} AND {to}"))
            }
        };
        if let Some(sort) = sort {
            condition = format!("{condition} AND {sort}");
        }
        Some(Self {
            condition,
            aliases,
            after,
        })
    }
}

enum Place {
    Before,
    Within,
    Behind,
}

/// Where a sort key is, seen from a range: texts are in the order of their bytes.
fn place(key: &str, range: &SortRange) -> Place {
    match range {
        _ if key.is_empty() => Place::Before,
        SortRange::Prefix(prefix) if key.starts_with(prefix.as_str()) => Place::Within,
        SortRange::Prefix(prefix) if key < prefix.as_str() => Place::Before,
        SortRange::Prefix(_) => Place::Behind,
        SortRange::Between(first, _) if key < first.as_str() => Place::Before,
        SortRange::Between(_, last) if key > last.as_str() => Place::Behind,
        SortRange::All | SortRange::Between(_, _) => Place::Within,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(first: &str, last: &str) -> Query {
        Query {
            range: SortRange::Between(first.into(), last.into()),
            ..Query::prefix("p", "")
        }
    }

    #[test]
    fn ranges_are_said_in_dynamodbs_words() {
        let text = |query: Query| Range::of(&query).map(|range| range.condition);
        let shown = |query| text(query).unwrap_or_default();
        assert_eq!(shown(Query::prefix("p", "")), "#0 = :0");
        assert_eq!(
            shown(Query::prefix("p", "LOG#")),
            "#0 = :0 AND begins_with(#1, :1)"
        );
        assert_eq!(shown(between("a", "b")), "#0 = :0 AND #1 BETWEEN :1 AND :2");
        assert_eq!(shown(between("", "b")), "#0 = :0 AND #1 <= :1");
        assert_eq!(text(between("b", "a")), None);
        assert_eq!(text(Query::prefix("", "a")), None);
    }

    #[test]
    fn a_start_outside_the_range_is_never_sent() {
        let after = |query: Query, key: &str| {
            Range::of(&query.after(Some(key.to_owned()))).map(|range| range.after)
        };
        assert_eq!(after(between("b", "d"), "a"), Some(None));
        assert_eq!(after(between("b", "d"), "c"), Some(Some("c".into())));
        assert_eq!(after(between("b", "d"), "e"), None);
        assert_eq!(after(between("b", "d").newest_first(), "a"), None);
        assert_eq!(after(between("b", "d").newest_first(), "e"), Some(None));
        assert_eq!(after(Query::prefix("p", "b"), "a"), Some(None));
        assert_eq!(after(Query::prefix("p", "b"), "c"), None);
    }
}
