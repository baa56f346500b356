//! What kind of platform runs the functions, and what follows from that for who uses it.

use serde::{Deserialize, Serialize};

use super::deployment::AppName;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlatformKind {
    /// This server runs what it has built.
    #[default]
    Embedded,
    /// A cluster runs images; this server is the gateway to them.
    Cluster,
}

impl PlatformKind {
    /// Whether a program runs that is not deployed: a draft, a version beside what serves.
    pub fn runs_programs(self) -> bool {
        match self {
            Self::Embedded => true,
            Self::Cluster => false,
        }
    }

    /// Whether an image is run that was not built here.
    pub fn runs_any_image(self) -> bool {
        match self {
            Self::Embedded => false,
            Self::Cluster => true,
        }
    }

    /// What an app is called that is asked for by this name. Those of a cluster have no hyphens: its builder removes them.
    #[must_use]
    pub fn app_name(self, wanted: &AppName) -> AppName {
        match self {
            Self::Embedded => wanted.clone(),
            Self::Cluster => {
                let joined = wanted.as_str().replace('-', "");
                AppName::parse(joined).unwrap_or_else(|_| wanted.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_of_a_cluster_has_no_hyphens() {
        let wanted = AppName::parse("payment-approve-2").expect("valid");
        let cluster = PlatformKind::Cluster.app_name(&wanted);
        assert_eq!(cluster.as_str(), "paymentapprove2");
        assert_eq!(PlatformKind::Cluster.app_name(&cluster), cluster);
        assert_eq!(PlatformKind::Embedded.app_name(&wanted), wanted);
    }
}
