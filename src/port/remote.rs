//! Functions that answer over HTTP, outside of this server.

use async_trait::async_trait;

use super::platform::{Call, Caller, Outcome};

/// Calls functions at their addresses. Implementations MUST
///
/// - follow no redirect, and use no proxy that the environment names;
/// - never call a link-local address, by whatever name: clouds keep their metadata there;
/// - hold the call's limits of time and body;
/// - take a status below 200 for no answer;
/// - pass on status, headers and body as they are, but not the headers that concern one connection only;
/// - send a request once, unless nothing of it was sent.
#[async_trait]
pub trait RemoteFunctions: Send + Sync + 'static {
    /// Calls `target`, whatever address the call itself has. Answers and `caller` are as in
    /// [`Platform::call`](super::platform::Platform::call).
    async fn call(&self, target: &http::Uri, call: &Call, caller: Option<Caller>) -> Outcome;
}
