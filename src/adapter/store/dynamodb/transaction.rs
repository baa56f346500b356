//! Transactions, and the token that makes one count once.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem, Update};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::attribute::{key_attributes, to_attributes};
use super::expression::Aliases;
use crate::port::store::{Condition, StoreError, Write};

/// What DynamoDB knows a transaction by for ten minutes: 36 characters at most.
pub(super) struct Token(String);

impl Token {
    pub fn new() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// Ours are of any length, and DynamoDB's are an account's: the table keeps those of two installations apart.
    pub fn of(table: &str, token: &str) -> Self {
        let hash = Sha256::digest(format!("{table}\0{token}"));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Self(Uuid::from_bytes(bytes).to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name that an update which changes nothing removes: a transaction takes no update without an expression.
const NOTHING: &str = "_";

pub(super) fn to_transaction(
    table: &str,
    writes: &[Write],
) -> Result<Vec<TransactWriteItem>, StoreError> {
    writes
        .iter()
        .map(|write| to_item(table, write))
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Failed(format!("a transaction is incomplete: {error}")))
}

fn to_item(table: &str, write: &Write) -> Result<TransactWriteItem, BuildError> {
    let mut aliases = Aliases::default();
    let item = TransactWriteItem::builder();
    let text = |aliases: &mut Aliases, condition: &Option<Condition>| {
        condition
            .as_ref()
            .map(|condition| aliases.condition(condition))
    };
    Ok(match write {
        Write::Put {
            key,
            item: content,
            condition,
        } => {
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(to_attributes(key, content)))
                .set_condition_expression(text(&mut aliases, condition))
                .set_expression_attribute_names(aliases.names())
                .set_expression_attribute_values(aliases.values());
            item.put(put.build()?)
        }
        Write::Update(update) => {
            let change = aliases
                .update(update)
                .unwrap_or_else(|| format!("REMOVE {}", aliases.name(NOTHING)));
            let update = Update::builder()
                .table_name(table)
                .set_key(Some(key_attributes(&update.key)))
                .update_expression(change)
                .set_condition_expression(text(&mut aliases, &update.condition))
                .set_expression_attribute_names(aliases.names())
                .set_expression_attribute_values(aliases.values());
            item.update(update.build()?)
        }
        Write::Delete { key, condition } => {
            let delete = Delete::builder()
                .table_name(table)
                .set_key(Some(key_attributes(key)))
                .set_condition_expression(text(&mut aliases, condition))
                .set_expression_attribute_names(aliases.names())
                .set_expression_attribute_values(aliases.values());
            item.delete(delete.build()?)
        }
        Write::Check { key, condition } => {
            let check = ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(key_attributes(key)))
                .condition_expression(aliases.condition(condition))
                .set_expression_attribute_names(aliases.names())
                .set_expression_attribute_values(aliases.values());
            item.condition_check(check.build()?)
        }
    }
    .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_and_is_the_same_each_time() {
        let long = "x".repeat(500);
        let token = Token::of("table", &long);
        assert_eq!(token.as_str(), Token::of("table", &long).as_str());
        assert!(token.as_str().len() <= 36);
        assert_ne!(token.as_str(), Token::of("another", &long).as_str());
        assert_ne!(token.as_str(), Token::of("table", "y").as_str());
        assert_ne!(Token::new().as_str(), Token::new().as_str());
    }
}
