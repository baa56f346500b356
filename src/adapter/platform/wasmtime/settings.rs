//! A function's configuration as its calls read it.

use std::time::Duration;

use super::protocol::Reuse;
use crate::model::function::OutboundHost;
use crate::model::version::Configuration;

#[derive(Debug)]
pub(super) struct Settings {
    /// As `os.environ` has them, in byte order.
    pub environment: Vec<(String, String)>,
    pub hosts: Vec<OutboundHost>,
    /// Whose keys and values the guest sees.
    pub owner: String,
    pub reuse: Option<Reuse>,
}

impl Settings {
    pub fn new(configuration: &Configuration, owner: String) -> Self {
        let environment = configuration
            .environment
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self {
            environment,
            hosts: configuration.allowed_outbound_hosts.clone(),
            owner,
            reuse: configuration.instance_reuse.slot().map(|slot| Reuse {
                max_calls: slot.max_requests(),
                max_age: Duration::from_secs(slot.max_age().into()),
            }),
        }
    }
}
