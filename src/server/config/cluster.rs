//! The cluster that functions are deployed to, with `BLUE_FAAS_PLATFORM=spinapp`.

use std::path::PathBuf;
use std::time::Duration;

use super::arguments::Arguments;
use super::parse;

#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// `BLUE_FAAS_KUBERNETES_URL`, else what Kubernetes tells its pods; absent outside of one.
    pub kubernetes_url: Option<String>,
    /// `BLUE_FAAS_KUBERNETES_ACCOUNT`: the folder with `token` and `ca.crt`.
    pub account: PathBuf,
    /// `BLUE_FAAS_CLUSTER_PROXY`
    pub proxy: Option<String>,
    /// `BLUE_FAAS_ENDPOINT_WAIT`
    pub endpoint_wait: Duration,
}

impl ClusterSettings {
    pub(super) fn from_arguments(arguments: &Arguments) -> Result<Self, String> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let kubernetes_url = match given(&arguments.kubernetes_url) {
            Some(url) => Some(parse::url("BLUE_FAAS_KUBERNETES_URL", &url)?),
            None => in_cluster(
                given(&arguments.kubernetes_service_host),
                given(&arguments.kubernetes_service_port),
            ),
        };
        let proxy = given(&arguments.cluster_proxy)
            .map(|url| parse::url("BLUE_FAAS_CLUSTER_PROXY", &url))
            .transpose()?;
        let wait = parse::duration("BLUE_FAAS_ENDPOINT_WAIT", &arguments.endpoint_wait)?;
        Ok(Self {
            kubernetes_url,
            account: arguments.kubernetes_account.clone(),
            proxy,
            endpoint_wait: wait,
        })
    }
}

/// An IPv6 address has brackets in a URL.
fn in_cluster(host: Option<String>, port: Option<String>) -> Option<String> {
    let host = host?;
    let port = port.unwrap_or_else(|| "443".to_owned());
    Some(if host.contains(':') {
        format!("https://[{host}]:{port}")
    } else {
        format!("https://{host}:{port}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn read(arguments: &[&str]) -> Result<ClusterSettings, String> {
        let program = std::iter::once(&"blue-faas");
        ClusterSettings::from_arguments(&Arguments::parse_from(program.chain(arguments)))
    }

    #[test]
    fn a_pod_finds_its_cluster() {
        let url = |arguments: &[&str]| read(arguments).unwrap().kubernetes_url;
        let pod = [
            "--kubernetes-service-host=10.0.0.1",
            "--kubernetes-service-port=6443",
        ];
        assert_eq!(url(&pod).as_deref(), Some("https://10.0.0.1:6443"));
        let six = ["--kubernetes-service-host=fd00::1"];
        assert_eq!(url(&six).as_deref(), Some("https://[fd00::1]:443"));
        let proxied = [pod[0], "--kubernetes-url=http://127.0.0.1:8001/"];
        assert_eq!(url(&proxied).as_deref(), Some("http://127.0.0.1:8001"));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_variable() {
        for (argument, variable) in [
            ("--kubernetes-url=cluster", "BLUE_FAAS_KUBERNETES_URL: "),
            ("--cluster-proxy=proxy", "BLUE_FAAS_CLUSTER_PROXY: "),
            ("--endpoint-wait=soon", "BLUE_FAAS_ENDPOINT_WAIT: "),
        ] {
            let line = read(&[argument]).unwrap_err();
            assert!(line.starts_with(variable), "{line}");
        }
    }
}
