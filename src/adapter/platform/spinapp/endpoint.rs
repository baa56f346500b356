//! Where an app answers. What the Builder Service says of it is a guess of somebody else, until it was looked at (SPEC §10).

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::model::callable_hosts::{CallableHosts, cluster_host, is_cluster_service};
use crate::model::deployment::{AppName, Namespace};

/// Scheme and authority of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    scheme: Scheme,
    authority: Authority,
}

impl Endpoint {
    /// As in `shop.default.svc.cluster.local`; a scheme may stand before it. `None` for what is never called.
    pub fn parse(text: &str, hosts: &CallableHosts) -> Option<Self> {
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let parts = with_scheme.parse::<Uri>().ok()?.into_parts();
        let scheme = parts
            .scheme
            .filter(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS)?;
        let authority = parts.authority?;
        let is_bare = parts
            .path_and_query
            .is_none_or(|path| path.as_str().is_empty() || path == "/");
        let port = authority
            .port_u16()
            .unwrap_or(if scheme == Scheme::HTTPS { 443 } else { 80 });
        let allowed =
            is_bare && !authority.as_str().contains('@') && hosts.allow(authority.host(), port);
        allowed.then_some(Self { scheme, authority })
    }

    /// Where the service of every SpinApp is (SPEC §7). `None` for the one name that is the cluster's API.
    pub fn of_app(app: &AppName, namespace: &Namespace) -> Option<Self> {
        let host = cluster_host(app.as_str(), namespace.as_str());
        let scheme = Scheme::HTTP;
        let authority = host.parse().ok()?;
        is_cluster_service(&host).then_some(Self { scheme, authority })
    }

    /// The same path and query there.
    pub fn target(&self, uri: &Uri) -> Option<Uri> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> CallableHosts {
        CallableHosts {
            listed: vec!["*.svc.corp.example".to_owned()],
            cluster: true,
        }
    }

    #[test]
    fn an_endpoint_is_a_service_of_the_cluster_or_a_listed_host() {
        let target = |text: &str, uri: &str| {
            let endpoint = Endpoint::parse(text, &hosts()).expect("callable");
            let uri = uri.parse().expect("a URI");
            endpoint.target(&uri).expect("a target").to_string()
        };
        let seen = "http://127.0.0.1:3001/a/b?c=d";
        assert_eq!(
            target("shop.default.svc.cluster.local", seen),
            "http://shop.default.svc.cluster.local/a/b?c=d"
        );
        assert_eq!(
            target("https://shop.team.svc.corp.example:8443/", "http://x/"),
            "https://shop.team.svc.corp.example:8443/"
        );
    }

    #[test]
    fn a_hostile_answer_is_no_endpoint() {
        for text in [
            "",
            "169.254.169.254",
            "http://169.254.169.254/latest",
            "127.0.0.1:9000",
            "kubernetes.default.svc.cluster.local",
            "https://kubernetes.default.svc.cluster.local:443",
            "user:pw@shop.default.svc.cluster.local",
            "shop.default.svc.cluster.local@evil.org",
            "shop.default.svc.cluster.local/admin",
            "shop.default.svc.cluster.local?x",
            "ftp://shop.default.svc.cluster.local",
            "shop.default.svc.cluster.local.evil.org",
            "evil.org#.svc.cluster.local",
            "file:///etc/passwd",
        ] {
            assert_eq!(Endpoint::parse(text, &hosts()), None, "{text}");
        }
    }
}
