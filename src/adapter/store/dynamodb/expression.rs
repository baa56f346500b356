//! Conditions and updates in DynamoDB's language. Every name and value has an alias: hundreds of words are reserved, and a value may hold
//! anything.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use std::collections::HashMap;

use super::attribute::{PK, to_attribute};
use crate::port::store::{Condition, Update};

/// Values that one `IN` takes at most.
const MAX_IN: usize = 100;

/// What stands behind `#0`, `#1` … and `:0`, `:1` … of one request's expressions.
#[derive(Default)]
pub(super) struct Aliases {
    names: Vec<String>,
    values: Vec<AttributeValue>,
}

impl Aliases {
    pub fn name(&mut self, name: &str) -> String {
        let index = self.names.iter().position(|known| known == name);
        let index = index.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#{index}")
    }

    pub fn value(&mut self, value: AttributeValue) -> String {
        self.values.push(value);
        format!(":{}", self.values.len() - 1)
    }

    fn json(&mut self, value: &Value) -> String {
        self.value(to_attribute(value))
    }

    /// `None` when there are none: an empty map is refused.
    pub fn names(&self) -> Option<HashMap<String, String>> {
        let names = self.names.iter().enumerate();
        let names: HashMap<_, _> = names
            .map(|(index, name)| (format!("#{index}"), name.clone()))
            .collect();
        (!names.is_empty()).then_some(names)
    }

    /// `None` when there are none: an empty map is refused.
    pub fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        let values = self.values.iter().enumerate();
        let values: HashMap<_, _> = values
            .map(|(index, value)| (format!(":{index}"), value.clone()))
            .collect();
        (!values.is_empty()).then_some(values)
    }

    pub fn condition(&mut self, condition: &Condition) -> String {
        self.term(condition).text
    }

    fn term(&mut self, condition: &Condition) -> Term {
        match condition {
            Condition::Exists => Term::one(format!("attribute_exists({})", self.name(PK))),
            Condition::Absent => Term::one(format!("attribute_not_exists({})", self.name(PK))),
            Condition::Equals(name, value) => {
                Term::one(format!("{} = {}", self.name(name), self.json(value)))
            }
            // A name without use would be refused.
            Condition::OneOf(_, values) if values.is_empty() => self.joined(Vec::new(), " OR "),
            Condition::OneOf(name, values) => {
                let name = self.name(name);
                let parts = values
                    .chunks(MAX_IN)
                    .map(|values| {
                        let values: Vec<_> = values.iter().map(|value| self.json(value)).collect();
                        Term::one(format!("{name} IN ({})", values.join(", ")))
                    })
                    .collect();
                self.joined(parts, " OR ")
            }
            Condition::Missing(name) => {
                Term::one(format!("attribute_not_exists({})", self.name(name)))
            }
            Condition::MissingOrBelow(name, bound) => {
                let name = self.name(name);
                let missing = Term::one(format!("attribute_not_exists({name})"));
                // Only these have an order.
                if matches!(bound, Value::String(_) | Value::Number(_)) {
                    let below = Term::one(format!("{name} < {}", self.json(bound)));
                    self.joined(vec![missing, below], " OR ")
                } else {
                    missing
                }
            }
            Condition::All(conditions) => {
                let parts = conditions.iter().map(|one| self.term(one)).collect();
                self.joined(parts, " AND ")
            }
            Condition::Any(conditions) => {
                let parts = conditions.iter().map(|one| self.term(one)).collect();
                self.joined(parts, " OR ")
            }
        }
    }

    /// Of no terms, all hold and none does.
    fn joined(&mut self, mut parts: Vec<Term>, operator: &'static str) -> Term {
        match parts.len() {
            0 => {
                let name = self.name(PK);
                let between = if operator == " AND " { " OR " } else { " AND " };
                Term {
                    text: format!("attribute_exists({name}){between}attribute_not_exists({name})"),
                    compound: true,
                }
            }
            1 => parts.remove(0),
            _ => {
                let parts: Vec<_> = parts.into_iter().map(Term::within).collect();
                Term {
                    text: parts.join(operator),
                    compound: true,
                }
            }
        }
    }

    /// `None` when the update changes nothing: an empty expression is refused.
    pub fn update(&mut self, update: &Update) -> Option<String> {
        let set: Vec<_> = update
            .set
            .iter()
            .map(|(name, value)| format!("{} = {}", self.name(name), self.json(value)))
            .collect();
        let remove: Vec<_> = update.remove.iter().map(|name| self.name(name)).collect();
        let add: Vec<_> = update
            .add
            .iter()
            .map(|(name, amount)| {
                let amount = AttributeValue::N(amount.to_string());
                format!("{} {}", self.name(name), self.value(amount))
            })
            .collect();
        let clauses = [("SET", set), ("REMOVE", remove), ("ADD", add)];
        let clauses: Vec<_> = clauses
            .into_iter()
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(clause, parts)| format!("{clause} {}", parts.join(", ")))
            .collect();
        (!clauses.is_empty()).then(|| clauses.join(" "))
    }
}

/// A part of a condition. Parentheses stand only where they must: DynamoDB refuses redundant ones.
struct Term {
    text: String,
    compound: bool,
}

impl Term {
    fn one(text: String) -> Self {
        Self {
            text,
            compound: false,
        }
    }

    fn within(self) -> String {
        if self.compound {
            format!("({})", self.text)
        } else {
            self.text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_nest_without_redundant_parentheses() {
        let mut aliases = Aliases::default();
        let condition = Condition::All(vec![Condition::Any(vec![Condition::All(vec![
            Condition::Exists,
            Condition::MissingOrBelow("lease".into(), json!(5)),
            Condition::OneOf("status".into(), vec![json!("a"), json!("b")]),
        ])])]);
        assert_eq!(
            aliases.condition(&condition),
            "attribute_exists(#0) AND (attribute_not_exists(#1) OR #1 < :0) AND #2 IN (:1, :2)"
        );
        assert_eq!(aliases.names().unwrap()["#2"], "status");
        assert_eq!(
            aliases.values().unwrap()[":0"],
            AttributeValue::N("5".into())
        );
    }

    #[test]
    fn a_name_has_one_alias_in_condition_and_update() {
        let mut aliases = Aliases::default();
        let update = Update::new(crate::port::store::Key::new("p", "s"))
            .set("name", "x")
            .remove("size")
            .add("n", 0.25);
        assert_eq!(
            aliases.update(&update).unwrap(),
            "SET #0 = :0 REMOVE #1 ADD #2 :1"
        );
        let condition = Condition::Equals("name".into(), json!("y"));
        assert_eq!(aliases.condition(&condition), "#0 = :2");
    }

    #[test]
    fn what_is_empty_is_said_in_a_way_that_dynamodb_takes() {
        let mut aliases = Aliases::default();
        assert_eq!(
            aliases.condition(&Condition::All(Vec::new())),
            "attribute_exists(#0) OR attribute_not_exists(#0)"
        );
        for never in [
            Condition::Any(Vec::new()),
            Condition::OneOf("a".into(), Vec::new()),
        ] {
            assert!(aliases.condition(&never).contains(" AND "));
        }
        assert_eq!(Aliases::default().names(), None);
        assert_eq!(Aliases::default().values(), None);
        let nothing = Update::new(crate::port::store::Key::new("p", "s"));
        assert_eq!(Aliases::default().update(&nothing), None);
    }
}
