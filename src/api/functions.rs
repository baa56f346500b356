//! Functions, as the console uses them.

use leptos::prelude::*;

use crate::model::error::Error;
pub use crate::model::form::{EnvironmentRow, SettingsForm};
use crate::model::function::{FunctionDetail, FunctionFilter, FunctionPage};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::source::Diagnostic;

#[server(input = leptos::server_fn::codec::GetUrl)]
pub async fn list_functions(
    workspace: WorkspaceId,
    filter: FunctionFilter,
) -> Result<FunctionPage, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .functions
            .list_page(&actor, &workspace, &filter)
            .await,
    )
}

#[server(name = LoadFunctionDetail)]
pub async fn function_detail(
    workspace: WorkspaceId,
    function: FunctionId,
) -> Result<FunctionDetail, Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .function_detail(&actor, &workspace, &function)
            .await,
    )
}

/// Creates, and with `deploy` = `yes` builds and deploys. Goes to the function's Code or Deploy tab.
#[server]
pub async fn create_function(
    workspace: WorkspaceId,
    settings: SettingsForm,
    code: String,
    #[server(default)] deploy: String,
) -> Result<(), Error> {
    use crate::server::context::{redirect, request, respond};
    let (services, actor) = request()?;
    let function = respond(
        services
            .create_function(&actor, &workspace, settings, code, deploy == "yes")
            .await,
    )?;
    let tab = if deploy == "yes" { "deploy" } else { "code" };
    redirect(&format!(
        "/workspaces/{workspace}/functions/{}/{tab}",
        function.id
    ));
    Ok(())
}

/// Refused with `PreconditionFailed` when `etag` is not the current one: someone else saved.
#[server]
pub async fn save_settings(
    workspace: WorkspaceId,
    function: FunctionId,
    settings: SettingsForm,
    etag: String,
) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .save_settings(&actor, &workspace, &function, settings, &etag)
            .await,
    )
}

/// Refused with `PreconditionFailed` when `etag` is not the current one: someone else saved. An empty `etag` overwrites.
#[server]
pub async fn save_code(
    workspace: WorkspaceId,
    function: FunctionId,
    code: String,
    etag: String,
) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .save_code(&actor, &workspace, &function, code, &etag)
            .await,
    )
}

/// The quick checks on a module as it is typed.
#[server]
pub async fn diagnose_code(code: String) -> Result<Vec<Diagnostic>, Error> {
    use crate::server::context::request;
    let (services, _) = request()?;
    Ok(services.builds.diagnose(code).await)
}

/// `enabled` is `yes` or `no`.
#[server]
pub async fn set_function_enabled(
    workspace: WorkspaceId,
    function: FunctionId,
    enabled: String,
) -> Result<(), Error> {
    use crate::server::context::{request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .functions
            .set_enabled(&actor, &workspace, &function, enabled == "yes")
            .await
            .map(drop),
    )
}

/// Goes to the copy.
#[server]
pub async fn duplicate_function(workspace: WorkspaceId, function: FunctionId) -> Result<(), Error> {
    use crate::server::context::{redirect, request, respond};
    let (services, actor) = request()?;
    let copy = respond(
        services
            .functions
            .duplicate(&actor, &workspace, &function)
            .await,
    )?;
    redirect(&format!(
        "/workspaces/{workspace}/functions/{}/code",
        copy.id
    ));
    Ok(())
}

/// Deletes the function with its deployments, versions and executions. Goes to the list of functions.
#[server]
pub async fn delete_function(workspace: WorkspaceId, function: FunctionId) -> Result<(), Error> {
    use crate::server::context::{redirect, request, respond};
    let (services, actor) = request()?;
    respond(
        services
            .delete_function(&actor, &workspace, &function)
            .await,
    )?;
    redirect(&format!("/workspaces/{workspace}/functions"));
    Ok(())
}
