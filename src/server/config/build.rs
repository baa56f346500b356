//! How functions are built, and where they run.

use std::path::PathBuf;
use std::time::Duration;

use super::arguments::Arguments;
use super::parse;
use crate::model::deployment::ImageRef;

/// Builds that this machine works on, and that it only waits for.
const PARALLEL: usize = 1;
const PARALLEL_REMOTE: usize = 16;

/// `BLUE_FAAS_BUILDER` and `BLUE_FAAS_PLATFORM`: what one makes only the other runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnginePair {
    /// Built and run here; `snapshot`: functions are snapshots of a common base where they can be.
    Embedded { snapshot: bool },
    /// Built by the Builder Service at this address (`BUILDER_SERVICE_URL`), run by Kubernetes.
    Cloud { builder_url: String },
}

#[derive(Clone, Debug)]
pub struct BuildSettings {
    pub pair: EnginePair,
    /// `BLUE_FAAS_VENV`
    pub venv: PathBuf,
    /// `BLUE_FAAS_BUILD_PARALLELISM`
    pub parallelism: usize,
    /// `BLUE_FAAS_WARM_UP`
    pub warm_up: bool,
    /// `BLUE_FAAS_BUILD_TIMEOUT`
    pub timeout: Duration,
    /// `BLUE_FAAS_POLL_INTERVAL`
    pub poll_interval: Duration,
    /// `BLUE_FAAS_MAX_UNPACKED`, bytes.
    pub max_unpacked: u64,
    /// `BLUE_FAAS_PIP_INDEX_URL`
    pub pip_index_url: Option<String>,
    /// `BLUE_FAAS_PUSH_HOSTS`
    pub push_hosts: Vec<String>,
    /// `ECR_REGISTRY_URL` and `ECR_REPOSITORY`: where images go that nobody named a registry for.
    pub registry: Option<String>,
}

impl BuildSettings {
    /// The error is one line that names the variable.
    pub(super) fn from_arguments(arguments: &Arguments) -> Result<Self, String> {
        let pair = pair(arguments)?;
        let parallelism = match (&arguments.build_parallelism, &pair) {
            (Some(text), _) => parse::count("BLUE_FAAS_BUILD_PARALLELISM", text)?,
            (None, EnginePair::Embedded { .. }) => PARALLEL,
            (None, EnginePair::Cloud { .. }) => PARALLEL_REMOTE,
        };
        Ok(Self {
            pair,
            venv: arguments.venv.clone().unwrap_or_else(parse::default_venv),
            parallelism,
            warm_up: parse::switch("BLUE_FAAS_WARM_UP", &arguments.warm_up)?,
            timeout: parse::duration("BLUE_FAAS_BUILD_TIMEOUT", &arguments.build_timeout)?,
            poll_interval: parse::duration("BLUE_FAAS_POLL_INTERVAL", &arguments.poll_interval)?,
            max_unpacked: parse::size("BLUE_FAAS_MAX_UNPACKED", &arguments.max_unpacked)?,
            pip_index_url: arguments.pip_index_url.clone(),
            push_hosts: parse::list(
                "BLUE_FAAS_PUSH_HOSTS",
                arguments.push_hosts.as_deref().unwrap_or_default(),
            )?,
            registry: registry(
                arguments.ecr_registry_url.as_deref(),
                arguments.ecr_repository.as_deref(),
            )?,
        })
    }
}

/// The address of a registry, with the repository at its end.
fn registry(url: Option<&str>, repository: Option<&str>) -> Result<Option<String>, String> {
    let Some(url) = url.filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let host = url
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let repository = repository.unwrap_or_default().trim_matches('/');
    let registry = if repository.is_empty() {
        host.to_owned()
    } else {
        format!("{host}/{repository}")
    };
    let is_image = ImageRef::parse(&registry).is_ok() && registry.contains('/');
    if is_image {
        Ok(Some(registry))
    } else {
        Err(format!(
            "ECR_REGISTRY_URL: \"{registry}\" is no repository. Set ECR_REGISTRY_URL to the registry's host and ECR_REPOSITORY to the name in it."
        ))
    }
}

fn pair(arguments: &Arguments) -> Result<EnginePair, String> {
    let builder = arguments.builder.as_str();
    if !matches!(builder, "snapshot" | "componentize" | "embedded" | "remote") {
        return Err(format!(
            "BLUE_FAAS_BUILDER: \"{builder}\" is not known. Use snapshot, componentize or remote."
        ));
    }
    match (builder, arguments.platform.as_str()) {
        ("remote", "spinapp") => Ok(EnginePair::Cloud {
            builder_url: builder_url(arguments.builder_service_url.as_deref())?,
        }),
        ("remote", "embedded") | (_, "spinapp") => Err("BLUE_FAAS_BUILDER and BLUE_FAAS_PLATFORM go in pairs: snapshot or componentize and embedded, or remote and spinapp.".to_owned()),
        // What the default was called before there were two is still accepted.
        (_, "embedded") => Ok(EnginePair::Embedded {
            snapshot: builder != "componentize",
        }),
        (_, other) => Err(format!(
            "BLUE_FAAS_PLATFORM: \"{other}\" is not known. Use embedded or spinapp."
        )),
    }
}

fn builder_url(url: Option<&str>) -> Result<String, String> {
    match url.filter(|url| !url.is_empty()) {
        Some(url) => parse::url("BUILDER_SERVICE_URL", url),
        None => Err("BUILDER_SERVICE_URL: BLUE_FAAS_BUILDER=remote needs its address.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn read(arguments: &[&str]) -> Result<BuildSettings, String> {
        let program = std::iter::once(&"blue-faas");
        BuildSettings::from_arguments(&Arguments::parse_from(program.chain(arguments)))
    }

    #[test]
    fn builder_and_platform_go_in_pairs() {
        let embedded = read(&[]).unwrap();
        assert_eq!(embedded.pair, EnginePair::Embedded { snapshot: true });
        assert_eq!(embedded.parallelism, 1);
        let whole = read(&["--builder=componentize"]).unwrap();
        assert_eq!(whole.pair, EnginePair::Embedded { snapshot: false });
        let url = "--builder-service-url=http://builder:8000/";
        let cloud = read(&["--builder=remote", "--platform=spinapp", url]).unwrap();
        let builder_url = "http://builder:8000".to_owned();
        assert_eq!(cloud.pair, EnginePair::Cloud { builder_url });
        assert_eq!((cloud.parallelism, cloud.poll_interval.as_secs()), (16, 5));
    }

    #[test]
    fn the_registry_of_images_is_host_and_repository() {
        let host = "--ecr-registry-url=https://1.dkr.ecr.ap-northeast-2.amazonaws.com/";
        let settings = read(&[host, "--ecr-repository=team/app"]).unwrap();
        let registry = "1.dkr.ecr.ap-northeast-2.amazonaws.com/team/app";
        assert_eq!(settings.registry.as_deref(), Some(registry));
        assert_eq!(read(&["--ecr-repository=app"]).unwrap().registry, None);
    }

    #[test]
    fn a_wrong_value_is_named_with_its_variable() {
        for (arguments, variable) in [
            (&["--builder=docker"][..], "BLUE_FAAS_BUILDER: "),
            (&["--platform=nomad"], "BLUE_FAAS_PLATFORM: "),
            (&["--builder=remote"], "BLUE_FAAS_BUILDER and "),
            (&["--platform=spinapp"], "BLUE_FAAS_BUILDER and "),
            (
                &["--builder=remote", "--platform=spinapp"],
                "BUILDER_SERVICE_URL: ",
            ),
            (
                &[
                    "--builder=remote",
                    "--platform=spinapp",
                    "--builder-service-url=builder",
                ],
                "BUILDER_SERVICE_URL: ",
            ),
            (&["--ecr-registry-url=r.example.com"], "ECR_REGISTRY_URL: "),
            (&["--poll-interval=often"], "BLUE_FAAS_POLL_INTERVAL: "),
            (&["--build-timeout=0"], "BLUE_FAAS_BUILD_TIMEOUT: "),
        ] {
            let line = read(arguments).unwrap_err();
            assert!(line.starts_with(variable), "{line}");
        }
    }
}
