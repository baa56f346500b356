//! Functions and workspaces as Spin apps: `…/export` and `…/import`

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;

use super::accept::prefers;
use super::description::parameters::{
    ComponentQuery, ExportQuery, WorkspaceFunctionPath, WorkspacePath,
};
use super::description::requests::{Archive, ImportForm, ImportWorkspaceForm};
use super::error::{Envelope, ErrorResponse, Result};
use super::extract::{Id, Ids, Parameters};
use super::functions::location;
use super::upload::Form;
use crate::model::address::with_query;
use crate::model::error::Error;
use crate::model::function::Function;
use crate::model::id::WorkspaceId;
use crate::model::workspace::Name;
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::spin_apps::{Export, ExportOptions, OnConflict};

/// Whether a parameter is `yes`.
fn wanted(parameters: &Parameters, name: &str) -> std::result::Result<bool, Error> {
    match parameters.text(name) {
        None | Some("no") => Ok(false),
        Some("yes") => Ok(true),
        Some(_) => Err(Error::validation(
            name,
            format!("{name} must be yes or no."),
        )),
    }
}

fn archive(export: Export) -> Response {
    let disposition = format!("attachment; filename=\"{}\"", export.file_name);
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, export.content).into_response()
}

/// A function as a Spin app.
///
/// An archive that `spin build` builds, with source, `spin.toml` and what Spin does not know of its settings. Values of the environment,
/// which may be secret, are left out unless `values=yes`. `component=yes` is refused (409) when the saved source was never built.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}/functions/{fn}/export", operation_id = "export_function", tag = "spin apps",
    params(WorkspaceFunctionPath, ExportQuery, ComponentQuery),
    responses((status = 200, description = "A .zip archive", body = Archive, content_type = "application/zip"), (status = 409, description = "`CONFLICT`: nothing was built of what is saved.", body = Envelope)),
)]
pub async fn export_function(
    State(services): State<Services>,
    ids: Ids,
    parameters: Parameters,
) -> Result<Response> {
    let options = ExportOptions {
        values: wanted(&parameters, "values")?,
        component: wanted(&parameters, "component")?,
    };
    let export = services
        .spin_apps
        .export_function(&Actor::anonymous(), &ids.workspace, &ids.function, options)
        .await?;
    Ok(archive(export))
}

/// All functions of a workspace as Spin apps.
///
/// One archive with a folder a function, each a Spin app. Values of the environment are left out unless `values=yes`.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}/export", operation_id = "export_workspace", tag = "spin apps",
    params(WorkspacePath, ExportQuery),
    responses((status = 200, description = "A .zip archive", body = Archive, content_type = "application/zip")),
)]
pub async fn export_workspace(
    State(services): State<Services>,
    Id(workspace): Id<WorkspaceId>,
    parameters: Parameters,
) -> Result<Response> {
    let values = wanted(&parameters, "values")?;
    let export = services
        .spin_apps
        .export_workspace(&Actor::anonymous(), &workspace, values)
        .await?;
    Ok(archive(export))
}

fn on_conflict(form: &Form) -> std::result::Result<OnConflict, Error> {
    match form.text("on_conflict") {
        None | Some("refuse") => Ok(OnConflict::Refuse),
        Some("rename") => Ok(OnConflict::Rename),
        Some(_) => Err(Error::validation(
            "on_conflict",
            "on_conflict must be refuse or rename.",
        )),
    }
}

/// A program gets what was made. A browser's form goes on to a page: to what was made, or back with what was wrong.
fn answer<T: Serialize>(
    headers: &HeaderMap,
    imported: Result<T>,
    location: impl FnOnce(&T) -> String,
    page: impl FnOnce(&T) -> String,
    form: &str,
) -> Response {
    let is_page = prefers(headers, "text/html", "application/json");
    match imported {
        Ok(imported) if is_page => Redirect::to(&page(&imported)).into_response(),
        Ok(imported) => {
            let place = [(header::LOCATION, location(&imported))];
            (StatusCode::CREATED, place, Json(imported)).into_response()
        }
        Err(ErrorResponse(error)) if is_page => {
            let address = with_query(form, &[("refused", &error.message)]);
            Redirect::to(&format!("{address}#import-file")).into_response()
        }
        Err(refused) => refused.into_response(),
    }
}

/// A function from a Spin app.
///
/// Makes a function of a Spin app's archive or of a single module, ours or another's; nothing is built by it. A name that is taken is
/// refused (409) unless `on_conflict` is `rename`; an archive with several components is refused with the reason.
#[utoipa::path(
    post, path = "/api/workspaces/{ws}/functions/import", operation_id = "import_function", tag = "spin apps",
    params(WorkspacePath),
    request_body(content((ImportForm = "multipart/form-data", encoding(("file" = (content_type = "application/zip"))), example = json!({"file": "(the bytes of approve.zip)", "name": "Approve", "on_conflict": "rename"})))),
    responses(
        (status = 201, description = "Made of the archive", body = Function),
        (status = 303, description = "For a browser's form (`Accept: text/html`): on to what was made, or back with what was wrong"),
    ),
)]
pub async fn import_function(
    State(services): State<Services>,
    Id(workspace): Id<WorkspaceId>,
    headers: HeaderMap,
    form: Result<Form>,
) -> Response {
    let import = async {
        let form = form?;
        let name = form.text("name").map(Name::parse).transpose()?;
        let on_conflict = on_conflict(&form)?;
        let imported = services
            .spin_apps
            .import_function(
                &Actor::anonymous(),
                &workspace,
                form.file()?,
                name,
                on_conflict,
            )
            .await?;
        Ok(imported)
    };
    let functions = format!("/workspaces/{workspace}/functions");
    let code = |function: &Function| format!("{functions}/{}/code", function.id);
    let form = format!("{functions}/new");
    answer(&headers, import.await, location, code, &form)
}

/// Functions from Spin apps.
///
/// Makes a function of every Spin app in the archive, or none when one of them cannot be made. Names that are taken are refused with their
/// list (409) unless `on_conflict` is `rename`.
#[utoipa::path(
    post, path = "/api/workspaces/{ws}/import", operation_id = "import_workspace", tag = "spin apps",
    params(WorkspacePath),
    request_body(content((ImportWorkspaceForm = "multipart/form-data", encoding(("file" = (content_type = "application/zip"))), example = json!({"file": "(the bytes of payments.zip)", "on_conflict": "rename"})))),
    responses(
        (status = 201, description = "Made of the archive, all or none", body = Vec<Function>),
        (status = 303, description = "For a browser's form (`Accept: text/html`): on to what was made, or back with what was wrong"),
    ),
)]
pub async fn import_workspace(
    State(services): State<Services>,
    Id(workspace): Id<WorkspaceId>,
    headers: HeaderMap,
    form: Result<Form>,
) -> Response {
    let import = async {
        let form = form?;
        let on_conflict = on_conflict(&form)?;
        let imported = services
            .spin_apps
            .import_workspace(&Actor::anonymous(), &workspace, form.file()?, on_conflict)
            .await?;
        Ok(imported)
    };
    let all = |_: &Vec<Function>| format!("/api/workspaces/{workspace}/functions");
    let list = |_: &Vec<Function>| format!("/workspaces/{workspace}/functions");
    let settings = format!("/workspaces/{workspace}/settings");
    answer(&headers, import.await, all, list, &settings)
}
