//! Who asks.

/// The caller of a service. Until accounts exist there is one: whoever reaches the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    name: String,
}

impl Actor {
    /// Whoever reaches a server without accounts.
    pub fn anonymous() -> Self {
        Self {
            name: "anonymous".to_owned(),
        }
    }

    /// The server itself: recovery, retention.
    pub fn system() -> Self {
        Self {
            name: "system".to_owned(),
        }
    }

    /// Who asked for a piece of work that is carried on later, by the name its record keeps.
    pub fn of_record(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }

    /// What records keep as `by`.
    pub fn name(&self) -> &str {
        &self.name
    }
}
