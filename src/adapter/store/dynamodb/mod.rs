//! The single table in DynamoDB, which any number of servers share.
//!
//! Every read is consistent and every name has an alias ([`expression`]). Calls are tried again within a bounded time ([`attempt`]): a write
//! that must count once goes as a transaction with a `ClientRequestToken`, which is made once a call, so that a retry after a lost
//! answer finds that it was done. Only [`Store::update`] cannot, since a transaction answers no item: where doing it twice
//! would differ, a lost answer is [`StoreError::Busy`].

mod attempt;
mod attribute;
mod expression;
mod range;
mod schema;
mod template;
mod transaction;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::limits::{
    check_attributes, check_key, check_query, check_size, check_transaction, check_update,
};
use crate::adapter::aws::timeouts;
use crate::port::store::{Item, Key, Page, Query, Store, StoreError, TablePage, Update, Write};
use attempt::{Repeat, judge, judge_transaction};
use attribute::{SK, from_attributes, from_row, key_attributes, to_attributes};
use expression::Aliases;
use range::Range;
use transaction::{Token, to_transaction};

pub use attempt::Patience;
pub use schema::Creation;
pub use template::{Template, print_template};

/// A key that nothing has: reading it shows that the table answers.
const PROBE: &str = "CHECK";

#[derive(Clone, Debug)]
pub struct DynamoStore {
    client: Client,
    table: String,
    patience: Patience,
}

impl DynamoStore {
    /// Region, credentials and connections are the configuration's; time-outs and retries are ours. `endpoint` stands for another server than
    /// AWS.
    pub fn new(
        config: &SdkConfig,
        table: &str,
        endpoint: Option<&str>,
        patience: Patience,
    ) -> Self {
        let mut builder = aws_sdk_dynamodb::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(patience.attempt, patience.call));
        if let Some(endpoint) = endpoint {
            builder = builder.endpoint_url(endpoint);
        }
        let config = builder.build();
        Self {
            client: Client::from_conf(config),
            table: table.to_owned(),
            patience,
        }
    }

    async fn put(&self, key: &Key, item: &Item) -> Result<(), StoreError> {
        let attributes = to_attributes(key, item);
        let put = || {
            let put = self.client.put_item().table_name(&self.table);
            put.set_item(Some(attributes.clone())).send()
        };
        self.patience
            .persist("PutItem", Repeat::Harmless, judge, put)
            .await
            .map(drop)
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let delete = || {
            let delete = self.client.delete_item().table_name(&self.table);
            delete.set_key(Some(key_attributes(key))).send()
        };
        self.patience
            .persist("DeleteItem", Repeat::Harmless, judge, delete)
            .await
            .map(drop)
    }

    /// Every attempt carries the same token.
    async fn send_transaction(&self, writes: &[Write], token: &Token) -> Result<(), StoreError> {
        let items = to_transaction(&self.table, writes)?;
        let transact = || {
            self.client
                .transact_write_items()
                .client_request_token(token.as_str())
                .set_transact_items(Some(items.clone()))
                .send()
        };
        self.patience
            .persist(
                "TransactWriteItems",
                Repeat::Harmless,
                judge_transaction,
                transact,
            )
            .await
            .map(drop)
    }
}

/// Whether doing it twice is the same as doing it once: a condition may find the effect of the first time, an addition adds again.
fn is_repeatable(update: &Update) -> bool {
    update.condition.is_none() && update.add.is_empty()
}

/// Fails when no store can keep it.
fn check_write(write: &Write) -> Result<(), StoreError> {
    check_key(write.key())?;
    match write {
        Write::Put { item, .. } => {
            check_attributes(item)?;
            check_size(item)
        }
        Write::Update(update) => {
            check_update(update)?;
            check_size(&update.set)
        }
        Write::Delete { .. } | Write::Check { .. } => Ok(()),
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        check_key(key)?;
        let get = || {
            self.client
                .get_item()
                .table_name(&self.table)
                .consistent_read(true)
                .set_key(Some(key_attributes(key)))
                .send()
        };
        let answer = self
            .patience
            .persist("GetItem", Repeat::Harmless, judge, get)
            .await?;
        Ok(answer.item.map(from_attributes))
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        check_query(query)?;
        let Some(range) = Range::of(query) else {
            return Ok(Page::default());
        };
        let start = range
            .after
            .map(|sk| key_attributes(&Key::new(query.pk.as_str(), sk)));
        // One more than asked for says whether there is a next page, which costs less than a page that turns out empty.
        let limit = i32::try_from(query.limit.saturating_add(1)).unwrap_or(i32::MAX);
        let ask = || {
            self.client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression(&range.condition)
                .set_expression_attribute_names(range.aliases.names())
                .set_expression_attribute_values(range.aliases.values())
                .scan_index_forward(query.forward)
                .limit(limit)
                .set_exclusive_start_key(start.clone())
                .send()
        };
        let answer = self
            .patience
            .persist("Query", Repeat::Harmless, judge, ask)
            .await?;
        let mut items = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(from_row)
            .collect::<Result<Vec<_>, _>>()?;
        let next = if items.len() > query.limit {
            items.truncate(query.limit);
            items.last().map(|(key, _)| key.sk.clone())
        } else {
            // A page ends after 1 MB as well.
            match answer.last_evaluated_key.and_then(|mut key| key.remove(SK)) {
                Some(AttributeValue::S(sk)) => Some(sk),
                _ => None,
            }
        };
        Ok(Page { items, next })
    }

    async fn scan(&self, after: Option<&Key>) -> Result<TablePage, StoreError> {
        let start = after.map(key_attributes);
        let ask = || {
            self.client
                .scan()
                .table_name(&self.table)
                .consistent_read(true)
                .set_exclusive_start_key(start.clone())
                .send()
        };
        let answer = self
            .patience
            .persist("Scan", Repeat::Harmless, judge, ask)
            .await?;
        let items = answer.items.unwrap_or_default().into_iter();
        Ok(TablePage {
            items: items.map(from_row).collect::<Result<_, _>>()?,
            next: match answer.last_evaluated_key {
                Some(key) => Some(from_row(key)?.0),
                None => None,
            },
        })
    }

    async fn write(&self, write: Write) -> Result<(), StoreError> {
        check_write(&write)?;
        match &write {
            Write::Put {
                key,
                item,
                condition: None,
            } => self.put(key, item).await,
            Write::Delete {
                key,
                condition: None,
            } => self.delete(key).await,
            Write::Update(update) if is_repeatable(update) => {
                self.update(update.clone()).await.map(drop)
            }
            _ => {
                let token = Token::new();
                self.send_transaction(std::slice::from_ref(&write), &token)
                    .await
            }
        }
    }

    async fn update(&self, update: Update) -> Result<Item, StoreError> {
        let write = Write::Update(update);
        check_write(&write)?;
        let Write::Update(update) = write else {
            return Err(StoreError::Failed("an update is no update".to_owned()));
        };
        let mut aliases = Aliases::default();
        let change = aliases.update(&update);
        let condition = update
            .condition
            .as_ref()
            .map(|condition| aliases.condition(condition));
        let send = || {
            self.client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key_attributes(&update.key)))
                .set_update_expression(change.clone())
                .set_condition_expression(condition.clone())
                .set_expression_attribute_names(aliases.names())
                .set_expression_attribute_values(aliases.values())
                .return_values(ReturnValue::AllNew)
                .send()
        };
        let repeat = if is_repeatable(&update) {
            Repeat::Harmless
        } else {
            Repeat::Counts
        };
        let answer = self
            .patience
            .persist("UpdateItem", repeat, judge, send)
            .await?;
        Ok(answer.attributes.map(from_attributes).unwrap_or_default())
    }

    async fn transact(&self, writes: Vec<Write>, token: Option<&str>) -> Result<(), StoreError> {
        check_transaction(&writes)?;
        writes.iter().try_for_each(check_write)?;
        if writes.is_empty() {
            return Ok(());
        }
        let token = match token {
            Some(token) => Token::of(&self.table, token),
            None => Token::new(),
        };
        self.send_transaction(&writes, &token).await
    }

    /// DynamoDB removes what expired by itself.
    async fn purge_expired(&self, _now_seconds: i64, _limit: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    fn version(&self, _pk: &str) -> Option<u64> {
        None
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.get(&Key::new(PROBE, PROBE)).await.map(drop)
    }

    async fn disk_usage(&self) -> Option<u64> {
        None
    }
}
