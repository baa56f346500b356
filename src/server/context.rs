//! What a server function finds around it.

use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::model::error::{Error, ErrorKind, Result};
use crate::rest::error::status_of;
use crate::service::Services;
use crate::service::actor::Actor;

/// The services, and who asks.
pub fn request() -> Result<(Services, Actor)> {
    let services = use_context::<Services>().ok_or_else(|| {
        Error::new(
            ErrorKind::Internal,
            "The server is not ready. Try again in a moment.",
        )
    })?;
    Ok((
        services,
        use_context::<Actor>().unwrap_or_else(Actor::anonymous),
    ))
}

/// Gives a failure its HTTP status; the framework's own would be 500 for all.
pub fn respond<T>(result: Result<T>) -> Result<T> {
    if let (Err(error), Some(response)) = (&result, use_context::<ResponseOptions>()) {
        response.set_status(status_of(error.kind));
    }
    result
}

/// Sends the browser there, with and without JavaScript.
pub fn redirect(path: &str) {
    leptos_axum::redirect(path);
}
