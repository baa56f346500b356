//! Calls of a function by its `invocationUrl`, where that is allowed to point (SPEC §10).

use std::sync::Arc;
use tokio::sync::Semaphore;

use crate::model::callable_hosts::CallableHosts;
use crate::model::error::{Error, Result};
use crate::model::id::FunctionId;
use crate::port::platform::{Call, Outcome};
use crate::port::remote::RemoteFunctions;
use crate::service::shared::ByName;

pub struct RemoteCaller {
    functions: Arc<dyn RemoteFunctions>,
    hosts: CallableHosts,
    per_function: usize,
    /// Places of functions with calls under way, by their ids.
    places: ByName<Semaphore>,
}

impl RemoteCaller {
    /// `per_function` is how many calls of one function run at the same time.
    pub fn new(
        functions: Arc<dyn RemoteFunctions>,
        hosts: CallableHosts,
        per_function: usize,
    ) -> Self {
        Self {
            functions,
            hosts,
            per_function,
            places: ByName::default(),
        }
    }

    pub(super) fn places_of(&self, function: &FunctionId) -> Arc<Semaphore> {
        let new = || Semaphore::new(self.per_function);
        self.places.get(function.as_str(), new)
    }

    pub(super) async fn call(&self, url: &reqwest::Url, call: &Call) -> Result<Outcome> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        if !self.hosts.allow(host, port) {
            return Err(Error::validation(
                "invocationUrl",
                format!(
                    "This server may not call {host}. Remove the invocation URL to call the deployment itself, or add the host to BLUE_FAAS_INVOKE_ALLOWED_HOSTS."
                ),
            ));
        }
        Ok(self.functions.call(&call.uri, call, None).await)
    }
}

/// The URL with a path and query appended; `/` alone leaves it as it is.
pub(super) fn target(url: &str, path: &str, query: &str) -> Result<reqwest::Url> {
    let mut target = reqwest::Url::parse(url).map_err(|_| {
        Error::validation(
            "invocationUrl",
            "The function's invocation URL is not an address. Correct it in its settings.",
        )
    })?;
    if !path.is_empty() && path != "/" {
        let joined = format!(
            "{}/{}",
            target.path().trim_end_matches('/'),
            path.trim_start_matches('/')
        );
        target.set_path(&joined);
    }
    if !query.is_empty() {
        target.set_query(Some(query.trim_start_matches('?')));
    }
    Ok(target)
}
