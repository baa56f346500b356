//! `/api/workspaces/{ws}/functions/{fn}/source`

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};

use super::conditional::if_match;
use super::description::parameters::{IfMatch, WorkspaceFunctionPath};
use super::description::requests::{Archive, UploadForm};
use super::error::Result;
use super::extract::Ids;
use super::functions::tagged;
use super::upload::Form;
use crate::model::function::Function;
use crate::service::Services;
use crate::service::actor::Actor;

/// Replace the whole source.
///
/// Saves an upload, one module or a .zip archive, in place of all files of the function. Hosts and environment of an archive's `spin.toml`
/// are taken over. It is refused when no handler can be found in it; what serves changes with the next deployment.
#[utoipa::path(
    put, path = "/api/workspaces/{ws}/functions/{fn}/source", operation_id = "replace_source", tag = "functions",
    params(WorkspaceFunctionPath, IfMatch),
    request_body(content((UploadForm = "multipart/form-data", encoding(("file" = (content_type = "text/x-python, application/zip"))), example = json!({"file": "from spin_sdk.http import IncomingHandler as Base, Request, Response\n\nclass IncomingHandler(Base):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {}, b\"Hello\")\n"})))),
    responses((status = 200, description = "As it is now", body = Function, headers(("ETag")))),
)]
pub async fn replace_source(
    State(services): State<Services>,
    ids: Ids,
    headers: HeaderMap,
    form: Form,
) -> Result<Response> {
    let (upload, if_match) = (form.file()?, if_match(&headers));
    tagged(
        services
            .replace_source(
                &Actor::anonymous(),
                &ids.workspace,
                &ids.function,
                upload,
                if_match.as_deref(),
            )
            .await?,
    )
}

/// The source as it is saved.
///
/// A function of one module answers the module, a package its archive, each as a download. It is what was saved last, not what serves.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}/functions/{fn}/source", operation_id = "download_source", tag = "functions",
    params(WorkspaceFunctionPath),
    responses((status = 200, description = "The module, or the archive", content(
            (String = "text/x-python; charset=utf-8"),
            (Archive = "application/zip"),
        ))),
)]
pub async fn download_source(State(services): State<Services>, ids: Ids) -> Result<Response> {
    let (name, content_type, content) = services
        .functions
        .download(&Actor::anonymous(), &ids.workspace, &ids.function)
        .await?;
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok((
        [
            (header::CONTENT_TYPE, content_type.to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        content,
    )
        .into_response())
}
