//! What a server that is gone left in a table that others use.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::builders::{Function, a_function, a_workspace};
use crate::support::emulator::{Emulator, new_table_name, settings_at, store_at};

/// A server beside which others use the table.
struct Beside {
    emulator: Emulator,
    table: String,
    app: TestApp,
}

impl Beside {
    async fn start() -> Self {
        let (emulator, table) = (Emulator::dynoxide(), new_table_name());
        let created = store_at(&emulator.url(), &table).await.create_table().await;
        created.expect("a table");
        let app = TestApp::start_with(settings_at(&emulator.url(), &table));
        Self {
            emulator,
            table,
            app,
        }
    }

    /// Writes what a server wrote that is gone.
    async fn set(&self, pk: &str, sk: &str, attribute: &str, value: Value) {
        let update = json!({
            "TableName": self.table,
            "Key": {"PK": {"S": pk}, "SK": {"S": sk}},
            "UpdateExpression": "SET #0 = :0",
            "ExpressionAttributeNames": {"#0": attribute},
            "ExpressionAttributeValues": {":0": value},
        });
        self.emulator.ask("UpdateItem", &update).await;
    }
}

#[tokio::test]
async fn a_function_whose_deployment_lost_its_server_is_freed() {
    let mut beside = Beside::start().await;
    let workspace = a_workspace().create(&beside.app).await;
    let function = a_function().create(&beside.app, &workspace).await;
    let (pk, sk) = keys_of(&function);
    let deploying = json!({"S": "deploying"});
    beside.set(&pk, &sk, "work", deploying).await;
    assert_eq!(function.read(&beside.app).await["status"], "deploying");
    beside.app.start_again();
    assert_eq!(function.read(&beside.app).await["status"], "active");
}

fn keys_of(function: &Function) -> (String, String) {
    let pk = format!("WS#{}", function.workspace);
    (pk, format!("FN#{}", function.id))
}

#[tokio::test]
async fn a_deletion_that_was_interrupted_goes_on_when_it_is_asked_for_again() {
    let beside = Beside::start().await;
    let app = &beside.app;
    let workspace = a_workspace().create(app).await;
    let function = a_function().create(app, &workspace).await;
    let marked = json!({"BOOL": true});
    let (pk, sk) = keys_of(&function);
    beside.set(&pk, &sk, "deleting", marked.clone()).await;
    app.get(&function.path()).await.refused(404, "NOT_FOUND");
    app.delete(&function.path()).await.with_status(204);
    let gone = app.delete(&function.path()).await;
    gone.refused(404, "NOT_FOUND");

    beside.set(&pk, "METADATA", "deleting", marked).await;
    app.get(&workspace.path()).await.refused(404, "NOT_FOUND");
    app.delete(&workspace.path()).await.with_status(204);
    let gone = app.delete(&workspace.path()).await;
    gone.refused(404, "NOT_FOUND");
}
