//! What a guest reads of its function's configuration. The rest stays with the server.

use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Settings {
    /// As `os.environ` has them.
    pub environment: Vec<(String, String)>,
    /// By lower-case name, as Spin's variables are.
    pub variables: HashMap<String, String>,
}

impl From<Vec<(String, String)>> for Settings {
    fn from(environment: Vec<(String, String)>) -> Self {
        // In byte order a lower-case name comes last, so it wins over the same name in capitals.
        let variables = environment
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        Self {
            environment,
            variables,
        }
    }
}
