//! `blue-faas table …`: the DynamoDB table, without a server.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use super::storage::dynamo_store;
use crate::adapter::store::dynamodb::{Creation, Template, print_template};
use crate::server::config::{Arguments, StorageSettings, TableCommand, TemplateFormat};
use crate::service::actor::Actor;
use crate::service::adoption;

/// Does what the command says; the error is one line.
pub fn run(command: TableCommand, arguments: &Arguments) -> Result<(), String> {
    let settings = StorageSettings::from_arguments(arguments)?;
    let line = match command {
        TableCommand::Print { format } => print_template(template(format), &settings.table),
        TableCommand::Create => in_runtime(create(&settings))?,
        TableCommand::Backfill => in_runtime(backfill(&settings))?,
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", line.trim_end()).map_err(|cause| format!("nothing can be printed: {cause}"))
}

fn template(format: TemplateFormat) -> Template {
    match format {
        TemplateFormat::Cloudformation => Template::CloudFormation,
        TemplateFormat::Terraform => Template::Terraform,
    }
}

async fn create(settings: &StorageSettings) -> Result<String, String> {
    let (table, region) = (&settings.table, &settings.region);
    Ok(match dynamo_store(settings).await.create_table().await? {
        Creation::Made => format!(
            "Made the table {table} in {region}, on demand. Point-in-time recovery is off: turn it on where you need a backup."
        ),
        Creation::Found => format!("The table {table} in {region} is there and as it should be."),
    })
}

async fn backfill(settings: &StorageSettings) -> Result<String, String> {
    let store = dynamo_store(settings).await;
    store.check_table().await?;
    let done = adoption::backfill(&Actor::system(), Arc::new(store)).await;
    let done = done.map_err(|error| {
        format!("the backfill stopped: {error}. Run it again: it goes on where it was.")
    })?;
    let mut text = format!(
        "Read {} items. Made findable: {} workspaces, {} functions, {} tasks.",
        done.read, done.workspaces, done.functions, done.tasks
    );
    if !done.unreadable.is_empty() {
        let _ = write!(
            text,
            "\n{} records cannot be read and stay as they are:\n{}",
            done.unreadable.len(),
            done.unreadable.join("\n")
        );
    }
    Ok(text)
}

fn in_runtime<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| format!("the runtime could not be started: {cause}"))?
        .block_on(work)
}
