//! Which hosts this server calls functions at (SPEC §10).

/// What names end with that a cluster gives its services.
const CLUSTER: &str = ".svc.cluster.local";

/// `{name}.{namespace}.svc.cluster.local` of any service but the cluster's own API.
pub fn is_cluster_service(host: &str) -> bool {
    let Some(inner) = host.strip_suffix(CLUSTER) else {
        return false;
    };
    let is_label = |label: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && label.len() <= 63 && label.chars().all(plain)
    };
    match inner.split_once('.') {
        Some(("kubernetes", "default")) | None => false,
        Some((name, namespace)) => is_label(name) && is_label(namespace),
    }
}

/// The name of an app's service inside the cluster.
pub fn cluster_host(app: &str, namespace: &str) -> String {
    format!("{app}.{namespace}{CLUSTER}")
}

/// Hosts by name, with `*.` for all below, and port when given; services of the cluster where this server deploys to one.
#[derive(Clone, Debug, Default)]
pub struct CallableHosts {
    pub listed: Vec<String>,
    pub cluster: bool,
}

impl CallableHosts {
    /// `host` as in an address, so with brackets around an IPv6 one.
    pub fn allow(&self, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        if self.cluster && is_cluster_service(&host) {
            return true;
        }
        let with_port = format!("{host}:{port}");
        self.listed
            .iter()
            .map(|listed| listed.to_ascii_lowercase())
            .any(|listed| {
                listed == host
                    || listed == with_port
                    || listed
                        .strip_prefix('*')
                        .is_some_and(|suffix| suffix.starts_with('.') && host.ends_with(suffix))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_are_called() {
        let listed = ["api.example.com", "*.svc.example", "localhost:9000"];
        let hosts = CallableHosts {
            listed: listed.map(str::to_owned).to_vec(),
            cluster: false,
        };
        assert!(hosts.allow("api.example.com", 443) && hosts.allow("A.svc.example", 80));
        assert!(hosts.allow("localhost", 9000));
        for (host, port) in [
            ("localhost", 9001),
            ("svc.example", 80),
            ("api.example.com.evil.org", 80),
            ("127.0.0.1", 80),
            ("shop.default.svc.cluster.local", 80),
        ] {
            assert!(!hosts.allow(host, port), "{host}:{port}");
        }
    }

    #[test]
    fn a_clusters_services_are_called_but_not_its_api() {
        let hosts = CallableHosts {
            listed: Vec::new(),
            cluster: true,
        };
        for host in [
            "shop.default.svc.cluster.local",
            "Kubernetes.team.svc.cluster.LOCAL",
        ] {
            assert!(hosts.allow(host, 80), "{host}");
        }
        for host in [
            "kubernetes.default.svc.cluster.local",
            "KUBERNETES.default.svc.cluster.local",
            "kubernetes.default.svc.cluster.local.",
            "kubernetes.default.svc",
            "a.kubernetes.default.svc.cluster.local",
            ".default.svc.cluster.local",
            "default.svc.cluster.local",
            "svc.cluster.local",
            "shop.default.svc.cluster.local.evil.org",
            "169.254.169.254",
        ] {
            assert!(!hosts.allow(host, 80), "{host}");
        }
    }
}
