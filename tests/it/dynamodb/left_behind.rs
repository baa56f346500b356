//! What a server that is gone left in a table that others use.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace};
use crate::support::emulator::{Emulator, new_table_name, settings_at, store_at};

#[tokio::test]
async fn a_function_whose_deployment_lost_its_server_is_freed() {
    let (emulator, table) = (Emulator::dynoxide(), new_table_name());
    let created = store_at(&emulator.url(), &table).await.create_table().await;
    created.expect("a table");
    let mut app = TestApp::start_with(settings_at(&emulator.url(), &table));
    let workspace = a_workspace().create(&app).await;
    let function = a_function().create(&app, &workspace).await;
    let mark = json!({
        "TableName": table,
        "Key": {
            "PK": {"S": format!("WS#{}", workspace.id)},
            "SK": {"S": format!("FN#{}", function.id)},
        },
        "UpdateExpression": "SET #0 = :0",
        "ExpressionAttributeNames": {"#0": "work"},
        "ExpressionAttributeValues": {":0": {"S": "deploying"}},
    });
    emulator.ask("UpdateItem", &mark).await;
    assert_eq!(function.read(&app).await["status"], "deploying");
    app.start_again();
    assert_eq!(function.read(&app).await["status"], "active");
}
