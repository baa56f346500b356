//! Calls of a function by its `invocationUrl`, where that is allowed to point (SPEC §10).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::Semaphore;

use crate::model::callable_hosts::CallableHosts;
use crate::model::error::{Error, Result};
use crate::model::id::FunctionId;
use crate::port::platform::{Call, Outcome};
use crate::port::remote::RemoteFunctions;

pub struct RemoteCaller {
    functions: Arc<dyn RemoteFunctions>,
    hosts: CallableHosts,
    per_function: usize,
    /// Of functions with calls under way.
    places: Mutex<HashMap<FunctionId, Weak<Semaphore>>>,
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
            places: Mutex::default(),
        }
    }

    pub(super) fn places_of(&self, function: &FunctionId) -> Arc<Semaphore> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, places| places.strong_count() > 0);
        let known = places.get(function).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let new = Arc::new(Semaphore::new(self.per_function));
            places.insert(function.clone(), Arc::downgrade(&new));
            new
        })
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
