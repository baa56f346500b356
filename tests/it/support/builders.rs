//! Workspaces and functions as tests need them: only what matters is said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::app::TestApp;

pub fn base64(python: &str) -> String {
    STANDARD.encode(python)
}

pub fn a_workspace() -> WorkspaceBuilder {
    WorkspaceBuilder(json!({"name": "Payments"}))
}

pub fn a_function() -> FunctionBuilder {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), "Approve".into());
    FunctionBuilder(fields)
}

pub struct WorkspaceBuilder(Value);

impl WorkspaceBuilder {
    pub fn named(mut self, name: &str) -> Self {
        self.0["name"] = name.into();
        self
    }

    pub fn described(mut self, description: &str) -> Self {
        self.0["description"] = description.into();
        self
    }

    pub async fn create(self, app: &TestApp) -> Workspace {
        let created = app.post("/api/workspaces", &self.0).await.with_status(201);
        Workspace {
            id: text(&created, "id"),
        }
    }
}

pub struct Workspace {
    pub id: String,
}

impl Workspace {
    pub fn path(&self) -> String {
        format!("/api/workspaces/{}", self.id)
    }

    pub fn functions(&self) -> String {
        format!("{}/functions", self.path())
    }

    pub async fn read(&self, app: &TestApp) -> Value {
        app.get(&self.path()).await.with_status(200)
    }
}

pub struct FunctionBuilder(Map<String, Value>);

impl FunctionBuilder {
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.insert(field.to_owned(), value.into());
        self
    }

    pub fn named(self, name: &str) -> Self {
        self.with("name", name)
    }

    pub fn with_code(self, python: &str) -> Self {
        self.with("code", base64(python))
    }

    /// What a request to create it sends.
    pub fn request(self) -> Value {
        Value::Object(self.0)
    }

    pub async fn create(self, app: &TestApp, workspace: &Workspace) -> Function {
        let created = app
            .post(&workspace.functions(), &self.request())
            .await
            .with_status(201);
        Function {
            id: text(&created, "id"),
            workspace: workspace.id.clone(),
        }
    }
}

pub struct Function {
    pub id: String,
    pub workspace: String,
}

impl Function {
    pub fn path(&self) -> String {
        format!("/api/workspaces/{}/functions/{}", self.workspace, self.id)
    }

    /// The same function without naming its workspace.
    pub fn alias(&self) -> String {
        format!("/api/functions/{}", self.id)
    }

    pub async fn read(&self, app: &TestApp) -> Value {
        app.get(&self.path()).await.with_status(200)
    }
}

/// A text of an answer, which must be there.
#[track_caller]
pub fn text(answer: &Value, field: &str) -> String {
    answer[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {answer}"))
        .to_owned()
}
