//! A function's configuration as its calls read it.

use std::collections::HashMap;

use crate::model::function::OutboundHost;
use crate::model::version::Configuration;

#[derive(Debug)]
pub(super) struct Settings {
    /// As `os.environ` has them.
    pub environment: Vec<(String, String)>,
    /// By lower-case name, as Spin's variables are.
    pub variables: HashMap<String, String>,
    pub hosts: Vec<OutboundHost>,
    /// Whose keys and values the guest sees.
    pub owner: String,
}

impl Settings {
    pub fn new(configuration: &Configuration, owner: String) -> Self {
        let environment: Vec<_> = configuration
            .environment
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        // In byte order a lower-case name comes last, so it wins over the same name in capitals.
        let variables = environment
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        Self {
            environment,
            variables,
            hosts: configuration.allowed_outbound_hosts.clone(),
            owner,
        }
    }
}
