//! The table itself: made by a command, and looked at once when a server starts.

use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TableDescription, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

use super::DynamoStore;
use super::attribute::{PK, SK};
use crate::adapter::aws::{describe, timeouts};
use crate::port::store::EXPIRES_AT;

/// Nobody waits for an answer while a server starts, and credentials may have to be fetched first.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);
const LONGEST_CALL: Duration = Duration::from_secs(30);
/// A new table takes ten seconds or so.
const LONGEST_CREATION: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(500);

/// What [`DynamoStore::create_table`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    Made,
    /// It was there, as it should be.
    Found,
}

impl DynamoStore {
    /// Whether the table is there and has our keys. The error is one line that says what to do.
    pub async fn check_table(&self) -> Result<(), String> {
        let Some(table) = self.describe_table().await? else {
            return Err(format!(
                "DYNAMODB_TABLE_NAME: there is no table {} in {}. Make it with `blue-faas table create`, or correct the name or AWS_REGION.",
                self.table,
                self.region()
            ));
        };
        if let Some(problem) = problem(&table) {
            return Err(format!(
                "DYNAMODB_TABLE_NAME: the table {} {problem}",
                self.table
            ));
        }
        match self.expires_items().await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(
                table = self.table,
                "nothing removes expired items: run `blue-faas table create`, which turns their removal on"
            ),
            Err(cause) => {
                tracing::warn!(table = self.table, %cause, "whether expired items are removed could not be read");
            }
        }
        Ok(())
    }

    /// Makes the table on demand, with the removal of expired items, and waits until it can be used. What is there already is left as it is,
    /// apart from that removal.
    pub async fn create_table(&self) -> Result<Creation, String> {
        let creation = if self.describe_table().await?.is_some() {
            Creation::Found
        } else {
            self.send_creation().await?;
            Creation::Made
        };
        self.wait_until_active().await?;
        if !self.expires_items().await? {
            self.expire_items().await?;
        }
        Ok(creation)
    }

    fn region(&self) -> String {
        let region = self.client.config().region();
        region.map_or_else(|| "this region".to_owned(), ToString::to_string)
    }

    async fn describe_table(&self) -> Result<Option<TableDescription>, String> {
        let describe_table = self.client.describe_table().table_name(&self.table);
        match describe_table
            .customize()
            .config_override(patient())
            .send()
            .await
        {
            Ok(answer) => Ok(answer.table),
            Err(SdkError::ServiceError(error))
                if matches!(
                    error.err(),
                    DescribeTableError::ResourceNotFoundException(_)
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn send_creation(&self) -> Result<(), String> {
        let key = |name: &str, kind| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
        };
        let text = |name: &str| {
            AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()
        };
        let incomplete = |error| format!("the table's keys are incomplete: {error}");
        let create = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(text(PK).map_err(incomplete)?)
            .attribute_definitions(text(SK).map_err(incomplete)?)
            .key_schema(key(PK, KeyType::Hash).map_err(incomplete)?)
            .key_schema(key(SK, KeyType::Range).map_err(incomplete)?);
        match create.customize().config_override(patient()).send().await {
            Ok(_) => Ok(()),
            // Someone else makes it at the same moment.
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), CreateTableError::ResourceInUseException(_)) =>
            {
                Ok(())
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn wait_until_active(&self) -> Result<(), String> {
        let deadline = Instant::now() + LONGEST_CREATION;
        loop {
            if let Some(table) = self.describe_table().await?
                && table.table_status != Some(TableStatus::Creating)
            {
                return match problem(&table) {
                    None => Ok(()),
                    Some(problem) => Err(format!(
                        "DYNAMODB_TABLE_NAME: the table {} {problem}",
                        self.table
                    )),
                };
            }
            if Instant::now() > deadline {
                return Err(format!(
                    "DYNAMODB_TABLE_NAME: the table {} is still being made. Run the command again in a while.",
                    self.table
                ));
            }
            sleep(POLL).await;
        }
    }

    async fn expires_items(&self) -> Result<bool, String> {
        let describe_ttl = self.client.describe_time_to_live().table_name(&self.table);
        let answer = describe_ttl
            .customize()
            .config_override(patient())
            .send()
            .await;
        let ttl = answer
            .map_err(|error| self.failed(&error))?
            .time_to_live_description;
        Ok(ttl.is_some_and(|ttl| {
            let on = [TimeToLiveStatus::Enabled, TimeToLiveStatus::Enabling];
            ttl.attribute_name() == Some(EXPIRES_AT)
                && ttl
                    .time_to_live_status
                    .is_some_and(|status| on.contains(&status))
        }))
    }

    async fn expire_items(&self) -> Result<(), String> {
        let specification = TimeToLiveSpecification::builder()
            .attribute_name(EXPIRES_AT)
            .enabled(true)
            .build()
            .map_err(|error| format!("the removal of expired items is incomplete: {error}"))?;
        let update = self
            .client
            .update_time_to_live()
            .table_name(&self.table)
            .time_to_live_specification(specification);
        let answer = update.customize().config_override(patient()).send().await;
        answer.map(drop).map_err(|error| self.failed(&error))
    }

    fn failed<E, R>(&self, error: &SdkError<E, R>) -> String
    where
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        format!(
            "DYNAMODB_TABLE_NAME: the table {} cannot be used: {}",
            self.table,
            first_line(&describe("DynamoDB", error))
        )
    }
}

/// What is for people: the SDK adds its own view of the error, and where it looked for credentials.
fn first_line(cause: &str) -> &str {
    let ends = ["\n", " (DispatchFailure(", " (TimeoutError("];
    let end = ends.iter().filter_map(|end| cause.find(end)).min();
    &cause[..end.unwrap_or(cause.len())]
}

fn patient() -> aws_sdk_dynamodb::config::Builder {
    Config::builder()
        .timeout_config(timeouts(LONGEST_ATTEMPT, LONGEST_CALL))
        .retry_config(RetryConfig::standard())
}

/// What keeps us from using a table, as the end of a sentence that names it.
fn problem(table: &TableDescription) -> Option<String> {
    match table.table_status() {
        None | Some(TableStatus::Active | TableStatus::Updating) => {}
        Some(TableStatus::Creating) => {
            return Some("is being made. Start again when it is active.".to_owned());
        }
        Some(status) => {
            return Some(format!(
                "is {}. Repair it in the AWS console, or name another one.",
                status.as_str()
            ));
        }
    }
    let kind_of = |name: &str| {
        let definition = table.attribute_definitions().iter();
        let mut definition = definition.filter(|definition| definition.attribute_name() == name);
        definition
            .next()
            .map_or("?", |one| one.attribute_type().as_str())
    };
    let keys: Vec<_> = table
        .key_schema()
        .iter()
        .map(|key| {
            let name = key.attribute_name();
            format!("{name} ({} {})", key.key_type().as_str(), kind_of(name))
        })
        .collect();
    (keys != ["PK (HASH S)", "SK (RANGE S)"]).then(|| {
        format!(
            "has the keys {}, not PK (HASH S), SK (RANGE S). Name another one; `blue-faas table create` makes it.",
            keys.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(
        keys: &[(&str, KeyType, ScalarAttributeType)],
        status: TableStatus,
    ) -> TableDescription {
        let mut table = TableDescription::builder().table_status(status);
        for (name, kind, attribute) in keys {
            let key = KeySchemaElement::builder().attribute_name(*name);
            let definition = AttributeDefinition::builder().attribute_name(*name);
            table = table
                .key_schema(key.key_type(kind.clone()).build().unwrap())
                .attribute_definitions(
                    definition
                        .attribute_type(attribute.clone())
                        .build()
                        .unwrap(),
                );
        }
        table.build()
    }

    #[test]
    fn a_table_with_other_keys_is_refused_with_what_it_has() {
        use ScalarAttributeType::{N, S};
        let ours = [("PK", KeyType::Hash, S), ("SK", KeyType::Range, S)];
        assert_eq!(problem(&table(&ours, TableStatus::Active)), None);
        let text = problem(&table(&ours, TableStatus::Deleting)).unwrap();
        assert!(text.starts_with("is DELETING."), "{text}");
        let others = [("id", KeyType::Hash, S), ("at", KeyType::Range, N)];
        let text = problem(&table(&others, TableStatus::Active)).unwrap();
        assert!(
            text.starts_with("has the keys id (HASH S), at (RANGE N), not PK"),
            "{text}"
        );
        let half = [("PK", KeyType::Hash, S)];
        assert!(problem(&table(&half, TableStatus::Active)).is_some());
    }
}
