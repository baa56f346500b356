//! `/api/workspaces/{ws}/functions` and its aliases below `/api/functions`

use axum::Extension;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;

use super::answers::{self, Answer, Answers};
use super::conditional::{self, if_match, unless_known};
use super::description::parameters::{
    FunctionPath, FunctionsQuery, IfMatch, PageParameters, WorkspaceFunctionPath, WorkspacePath,
};
use super::description::requests::{CreateFunctionRequest, UpdateFunctionRequest};
use super::error::Result;
use super::extract::{Fields, Id, Ids, Parameters};
use crate::model::error::Error;
use crate::model::function::{
    Code, Environment, Function, HttpMethod, HttpMethods, InstanceReuse, Memory, OutboundHost,
    RUNTIME, SlotReuse, Timeout,
};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::workspace::{Description, Name};
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::functions::{FunctionChange, NewFunction, parse_invocation_url};

/// The fields of a body that are there, checked.
fn change(fields: &Fields) -> std::result::Result<FunctionChange, Error> {
    if let Some(runtime) = fields.text("runtime")?
        && runtime != RUNTIME
    {
        return Err(Error::validation(
            "runtime",
            format!("The only runtime is \"{RUNTIME}\"."),
        ));
    }
    let methods = fields.texts("httpMethods")?.map(|methods| {
        HttpMethods::parse(
            methods
                .into_iter()
                .map(HttpMethod::parse)
                .collect::<std::result::Result<Vec<_>, _>>()?,
        )
    });
    let hosts = fields
        .texts("allowedOutboundHosts")?
        .map(|hosts| hosts.into_iter().map(OutboundHost::parse).collect());
    let disabled = match fields.text("status")? {
        None => None,
        Some("active") => Some(false),
        Some("disabled") => Some(true),
        Some(_) => {
            return Err(Error::validation(
                "status",
                "Set the status to active or disabled; the others follow from builds and deployments.",
            ));
        }
    };
    let last_deployed = fields
        .text("lastDeployed")?
        .map(|text| {
            text.parse()
                .map_err(|error: Error| error.with_field("lastDeployed"))
        })
        .transpose()?;
    let invocation_url = fields.text("invocationUrl")?;
    parse_invocation_url(invocation_url.unwrap_or_default())?;
    Ok(FunctionChange {
        name: fields.text("name")?.map(Name::parse).transpose()?,
        description: fields
            .text("description")?
            .map(Description::parse)
            .transpose()?,
        memory: fields.number("memory")?.map(Memory::parse).transpose()?,
        timeout: fields.number("timeout")?.map(Timeout::parse).transpose()?,
        http_methods: methods.transpose()?,
        environment: fields
            .map("environmentVariables")?
            .map(Environment::parse)
            .transpose()?,
        allowed_outbound_hosts: hosts.transpose()?,
        instance_reuse: instance_reuse(fields)?,
        invocation_url: invocation_url.map(ToOwned::to_owned),
        code: fields.text("code")?.map(Code::from_base64).transpose()?,
        disabled,
        deploy_on_save: fields.flag("deployOnSave")?,
        last_deployed,
    })
}

/// `"none"` or `{"perSlot": {"maxRequests", "maxAge"}}`.
fn instance_reuse(fields: &Fields) -> std::result::Result<Option<InstanceReuse>, Error> {
    let wrong = || {
        Error::validation(
            "instanceReuse",
            "Send \"none\", or {\"perSlot\": {\"maxRequests\": 1000, \"maxAge\": 600}} with seconds.",
        )
    };
    let slot = match fields.json("instanceReuse") {
        None => return Ok(None),
        Some(value) if value == "none" => return Ok(Some(InstanceReuse::None)),
        Some(_) => fields.object("instanceReuse").map_err(|_| wrong())?,
    };
    let slot = slot.and_then(|value| value.object("perSlot").ok()?);
    let slot = slot.ok_or_else(wrong)?;
    let number = |name| slot.number(name).ok().flatten().ok_or_else(wrong);
    let slot = SlotReuse::new(number("maxRequests")?, number("maxAge")?)?;
    Ok(Some(InstanceReuse::PerSlot(slot)))
}

/// Create a function.
///
/// Saves settings and code of a new function; only `name` is required, and everything else has a default. Nothing is built or deployed by
/// it: next is `POST /api/v1/build-and-push` with its `function_id`, or `deployOnSave` and a change of its code.
#[utoipa::path(
    post, path = "/api/workspaces/{ws}/functions", operation_id = "create_function", tag = "functions",
    params(WorkspacePath),
    request_body(content = CreateFunctionRequest, example = json!({"name": "Approve", "httpMethods": ["GET", "POST"], "code": "ZnJvbSBzcGluX3Nkay5odHRwIGltcG9ydCBJbmNvbWluZ0hhbmRsZXIgYXMgQmFzZSwgUmVxdWVzdCwgUmVzcG9uc2UKCmNsYXNzIEluY29taW5nSGFuZGxlcihCYXNlKToKICAgIGRlZiBoYW5kbGVfcmVxdWVzdChzZWxmLCByZXF1ZXN0OiBSZXF1ZXN0KSAtPiBSZXNwb25zZToKICAgICAgICByZXR1cm4gUmVzcG9uc2UoMjAwLCB7ImNvbnRlbnQtdHlwZSI6ICJ0ZXh0L3BsYWluIn0sIGIiSGVsbG8iKQo="})),
    responses((status = 201, description = "Created", body = Function, headers(("ETag")))),
)]
pub async fn create(
    State(services): State<Services>,
    Id(workspace): Id<WorkspaceId>,
    fields: Fields,
) -> Result<Response> {
    fields.required_text("name")?;
    let given = change(&fields)?;
    let new = NewFunction {
        name: given
            .name
            .ok_or_else(|| Error::validation("name", "name is required."))?,
        description: given
            .description
            .filter(|description| !description.as_str().is_empty()),
        memory: given.memory.unwrap_or_default(),
        timeout: given.timeout.unwrap_or_default(),
        http_methods: given.http_methods.unwrap_or_default(),
        environment: given.environment.unwrap_or_default(),
        allowed_outbound_hosts: given.allowed_outbound_hosts.unwrap_or_default(),
        instance_reuse: given.instance_reuse.unwrap_or_default(),
        invocation_url: parse_invocation_url(given.invocation_url.as_deref().unwrap_or_default())?,
        deploy_on_save: given.deploy_on_save.unwrap_or_default(),
        disabled: given.disabled.unwrap_or_default(),
        last_deployed: given.last_deployed,
        code: given.code.map_or_else(|| Code::parse(""), Ok)?,
        package: None,
    };
    let created = services
        .functions
        .create(&Actor::anonymous(), &workspace, new)
        .await?;
    let location = location(&created.0);
    let place = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, place, tagged(created)?).into_response())
}

/// The functions of a workspace.
///
/// With settings, states and figures of the last 24 hours. `fields=summary` leaves the code out, which makes a long list short.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}/functions", operation_id = "list_functions", tag = "functions",
    params(WorkspacePath, FunctionsQuery, PageParameters),
    responses((status = 200, description = "By id", body = Vec<Function>, headers(("Link")))),
)]
pub async fn list(
    State(services): State<Services>,
    Extension(kept): Extension<Arc<Answers>>,
    OriginalUri(uri): OriginalUri,
    Id(workspace): Id<WorkspaceId>,
    parameters: Parameters,
) -> Result<Answer> {
    let with_code = match parameters.text("fields") {
        None => true,
        Some("summary") => false,
        Some(_) => {
            return Err(Error::validation(
                "fields",
                "The only choice is fields=summary, which leaves code out.",
            )
            .into());
        }
    };
    let query = parameters.page()?;
    let stamp = services.functions.list_stamp(&workspace);
    let make = async {
        let (functions, actor) = (&services.functions, Actor::anonymous());
        let page = functions.list(&actor, &workspace, with_code, &query);
        answers::list(&page.await?, &uri, &parameters)
    };
    kept.get(&uri, stamp, make).await
}

/// Where a function is read.
pub(super) fn location(function: &Function) -> String {
    let (workspace, id) = (&function.workspace_id, &function.id);
    format!("/api/workspaces/{workspace}/functions/{id}")
}

pub(super) fn tagged((function, revision): (Function, String)) -> Result<Response> {
    conditional::tagged(&function, &revision)
}

/// One function.
///
/// Settings, code (Base64), state and figures of the last 24 hours. `status` follows its builds and deployments: a client that waits can
/// ask with `If-None-Match` until it changes.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}/functions/{fn}", operation_id = "get_function", tag = "functions",
    params(WorkspaceFunctionPath),
    responses((status = 200, description = "The function", body = Function, headers(("ETag")))),
)]
pub async fn read(
    State(services): State<Services>,
    ids: Ids,
    headers: HeaderMap,
) -> Result<Response> {
    let (functions, actor) = (&services.functions, Actor::anonymous());
    let found = functions.get(&actor, &ids.workspace, &ids.function);
    Ok(unless_known(&headers, tagged(found.await?)?))
}

/// Change settings or code.
///
/// Changes what the body names; what is absent or null stays. Settings take effect at once on what serves, code with the next deployment
/// (`undeployedChanges` says so). With `If-Match` it is refused (412) when somebody saved in between.
#[utoipa::path(
    patch, path = "/api/workspaces/{ws}/functions/{fn}", operation_id = "update_function", tag = "functions",
    params(WorkspaceFunctionPath, IfMatch),
    request_body(content = UpdateFunctionRequest, example = json!({"timeout": 60, "status": "disabled"})),
    responses((status = 200, description = "As it is now", body = Function, headers(("ETag")))),
)]
pub async fn update(
    State(services): State<Services>,
    ids: Ids,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response> {
    let (change, if_match) = (change(&fields)?, if_match(&headers));
    tagged(
        services
            .update_function(
                &Actor::anonymous(),
                &ids.workspace,
                &ids.function,
                change,
                if_match.as_deref(),
            )
            .await?,
    )
}

/// Delete a function with all that is its own.
///
/// Takes down its deployment, and removes its code, versions, executions and key-values. It cannot be undone: export the function before.
#[utoipa::path(
    delete, path = "/api/workspaces/{ws}/functions/{fn}", operation_id = "delete_function", tag = "functions",
    params(WorkspaceFunctionPath, IfMatch),
    responses((status = 204, description = "Gone, with its executions, versions and deployments")),
)]
pub async fn delete(
    State(services): State<Services>,
    ids: Ids,
    headers: HeaderMap,
) -> Result<StatusCode> {
    services
        .retention
        .delete_function(
            &Actor::anonymous(),
            &ids.workspace,
            &ids.function,
            if_match(&headers).as_deref(),
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The paths that do not name a workspace.
pub(super) async fn ids_of(services: &Services, function: FunctionId) -> Result<Ids> {
    Ok(Ids {
        workspace: services.functions.workspace_of(&function).await?,
        function,
    })
}

/// One function, by its id alone.
///
/// As `GET /api/workspaces/{ws}/functions/{fn}`, for who does not know the workspace.
#[utoipa::path(
    get, path = "/api/functions/{fn}", operation_id = "get_function_by_id", tag = "functions",
    params(FunctionPath),
    responses((status = 200, description = "The function", body = Function, headers(("ETag")))),
)]
pub async fn read_by_id(
    state: State<Services>,
    Id(function): Id<FunctionId>,
    headers: HeaderMap,
) -> Result<Response> {
    let ids = ids_of(&state, function).await?;
    read(state, ids, headers).await
}

/// Change a function, by its id alone.
///
/// As `PATCH /api/workspaces/{ws}/functions/{fn}`, for who does not know the workspace.
#[utoipa::path(
    patch, path = "/api/functions/{fn}", operation_id = "update_function_by_id", tag = "functions",
    params(FunctionPath, IfMatch),
    request_body(content = UpdateFunctionRequest, example = json!({"timeout": 60, "status": "disabled"})),
    responses((status = 200, description = "As it is now", body = Function, headers(("ETag")))),
)]
pub async fn update_by_id(
    state: State<Services>,
    Id(function): Id<FunctionId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response> {
    let ids = ids_of(&state, function).await?;
    update(state, ids, headers, fields).await
}

/// Delete a function, by its id alone.
///
/// As `DELETE /api/workspaces/{ws}/functions/{fn}`, for who does not know the workspace.
#[utoipa::path(
    delete, path = "/api/functions/{fn}", operation_id = "delete_function_by_id", tag = "functions",
    params(FunctionPath, IfMatch),
    responses((status = 204, description = "Gone, with its executions, versions and deployments")),
)]
pub async fn delete_by_id(
    state: State<Services>,
    Id(function): Id<FunctionId>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let ids = ids_of(&state, function).await?;
    delete(state, ids, headers).await
}
