//! Pushing an image to a registry over the network.

use bytes::Bytes;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use std::time::Duration;

use super::image::{self, Image};
use crate::port::builder::{BuildError, RegistryCredentials};

/// All of a push, at most.
pub(super) const TIMEOUT: Duration = Duration::from_mins(1);
const CONNECT: Duration = Duration::from_secs(10);

/// The user name where only a password was given: that of ECR.
const PASSWORD_ONLY: &str = "AWS";

/// Host and port of `registry/repository`; `None` when there is no such part.
pub(super) fn host(registry_url: &str) -> Option<&str> {
    let (host, repository) = without_scheme(registry_url).split_once('/')?;
    (!host.is_empty()
        && !repository.is_empty()
        && (host.contains(['.', ':']) || host == "localhost"))
        .then_some(host)
}

fn without_scheme(registry_url: &str) -> &str {
    let url = registry_url
        .strip_prefix("https://")
        .or_else(|| registry_url.strip_prefix("http://"))
        .unwrap_or(registry_url);
    url.trim_end_matches('/')
}

/// Whether a list of hosts (with or without a port) names this one.
pub(super) fn is_listed(host: &str, listed: &[String]) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    listed
        .iter()
        .any(|entry| entry.eq_ignore_ascii_case(host) || entry.eq_ignore_ascii_case(name))
}

pub(super) async fn push(
    image: &Image,
    component: Bytes,
    registry_url: &str,
    tag: &str,
    credentials: Option<&RegistryCredentials>,
) -> Result<(), BuildError> {
    let target = format!("{}:{tag}", without_scheme(registry_url));
    let reference = Reference::try_from(target.as_str())
        .map_err(|_| BuildError::Registry(format!("{target} is not an image. Write the registry as host/repository, in lower case, and a tag of letters, digits, dots, hyphens and underscores.")))?;
    // Another part of the program may have chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ClientConfig {
        protocol: protocol(reference.registry()),
        connect_timeout: Some(CONNECT),
        read_timeout: Some(TIMEOUT),
        ..ClientConfig::default()
    };
    let client = Client::try_from(config).map_err(|error| {
        BuildError::Registry(format!("The registry client could not be set up: {error}"))
    })?;
    let auth = auth(credentials);
    let sent =
        tokio::time::timeout(TIMEOUT, send(&client, &reference, image, component, &auth)).await;
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(BuildError::Registry(explain(
            &error,
            reference.registry(),
            credentials,
        ))),
        Err(_) => Err(BuildError::Registry(format!(
            "{} did not finish the push within {} seconds. Check that it can be reached from here, and that the role (IRSA) or the password may push.",
            reference.registry(),
            TIMEOUT.as_secs()
        ))),
    }
}

async fn send(
    client: &Client,
    reference: &Reference,
    image: &Image,
    component: Bytes,
    auth: &RegistryAuth,
) -> Result<(), OciDistributionError> {
    client
        .auth(reference, auth, RegistryOperation::Push)
        .await?;
    if !client
        .blob_exists(reference, &image.component_digest)
        .await
        .unwrap_or(false)
    {
        client
            .push_blob(reference, component, &image.component_digest)
            .await?;
    }
    for part in [&image.locked_app, &image.config] {
        client
            .push_blob(reference, part.content.clone(), &part.digest)
            .await?;
    }
    client
        .push_manifest_raw(
            reference,
            image.manifest.content.clone(),
            http::HeaderValue::from_static(image::MANIFEST),
        )
        .await?;
    Ok(())
}

/// Plain HTTP only to this machine.
fn protocol(registry: &str) -> ClientProtocol {
    let name = registry
        .rsplit_once(':')
        .map_or(registry, |(name, _)| name)
        .trim_matches(['[', ']']);
    let is_loopback = name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if is_loopback {
        ClientProtocol::Http
    } else {
        ClientProtocol::Https
    }
}

fn auth(credentials: Option<&RegistryCredentials>) -> RegistryAuth {
    match credentials {
        None => RegistryAuth::Anonymous,
        Some(given) if given.username.is_empty() && given.password.is_empty() => {
            RegistryAuth::Anonymous
        }
        Some(given) if given.username.is_empty() => {
            RegistryAuth::Basic(PASSWORD_ONLY.to_owned(), given.password.clone())
        }
        Some(given) => RegistryAuth::Basic(given.username.clone(), given.password.clone()),
    }
}

/// What went wrong, what to do, and no secret: an answer may echo what it was sent.
fn explain(
    error: &OciDistributionError,
    registry: &str,
    credentials: Option<&RegistryCredentials>,
) -> String {
    let text = match error {
        OciDistributionError::UnauthorizedError { .. }
        | OciDistributionError::AuthenticationFailure(_)
        | OciDistributionError::ServerError { code: 401, .. } => {
            format!(
                "{registry} did not accept the credentials. Give a user name and a password that may push (for ECR: AWS and what `aws ecr get-login-password` prints)."
            )
        }
        OciDistributionError::ServerError { code: 403, .. } => format!(
            "{registry}: access denied. Let the user or role (IAM) push to this repository."
        ),
        OciDistributionError::ServerError { code: 404, .. } => {
            format!("{registry} has no such repository. Create it there first.")
        }
        OciDistributionError::RequestError(error) if error.is_connect() || error.is_timeout() => {
            format!(
                "{registry} could not be reached. Check the host name, the port and the network."
            )
        }
        other => {
            let text: String = other
                .to_string()
                .chars()
                .filter(|c| !c.is_control())
                .take(400)
                .collect();
            let lower = text.to_ascii_lowercase();
            if lower.contains("denied") {
                format!(
                    "{registry}: access denied. Let the user or role (IAM) push to this repository. ({text})"
                )
            } else if lower.contains("name unknown") || lower.contains("nameunknown") {
                format!("{registry} has no such repository. Create it there first. ({text})")
            } else {
                format!(
                    "{registry} refused the push: {text}. Check the repository's name and whether the tag may be written."
                )
            }
        }
    };
    redact(text, credentials)
}

fn redact(text: String, credentials: Option<&RegistryCredentials>) -> String {
    use base64::Engine;
    let Some(given) = credentials.filter(|given| !given.password.is_empty()) else {
        return text;
    };
    let basic = base64::engine::general_purpose::STANDARD
        .encode(format!("{}:{}", given.username, given.password));
    text.replace(&given.password, "***").replace(&basic, "***")
}

#[cfg(test)]
mod tests {
    use super::{auth, explain, host, is_listed, protocol};
    use crate::port::builder::RegistryCredentials;
    use oci_client::client::ClientProtocol;
    use oci_client::errors::OciDistributionError;
    use oci_client::secrets::RegistryAuth;

    fn given(username: &str, password: &str) -> RegistryCredentials {
        RegistryCredentials {
            username: username.to_owned(),
            password: password.to_owned(),
        }
    }

    #[test]
    fn only_a_listed_host_is_pushed_to() {
        let listed = [
            "registry.example.com".to_owned(),
            "127.0.0.1:5000".to_owned(),
        ];
        for (url, expected) in [
            ("registry.example.com/shop", true),
            ("https://registry.example.com:8443/shop/", true),
            ("127.0.0.1:5000/shop", true),
            ("127.0.0.1:5001/shop", false),
            ("registry.example.com.evil.org/shop", false),
            ("shop/app", false),
            ("registry.example.com", false),
        ] {
            assert_eq!(
                host(url).is_some_and(|host| is_listed(host, &listed)),
                expected,
                "{url}"
            );
        }
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for (registry, plain) in [
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("[::1]:5000", true),
            ("10.0.0.1:5000", false),
            ("registry.example.com", false),
        ] {
            assert_eq!(
                matches!(protocol(registry), ClientProtocol::Http),
                plain,
                "{registry}"
            );
        }
    }

    #[test]
    fn a_password_without_a_name_is_that_of_ecr() {
        assert!(
            matches!(auth(Some(&given("", "x"))), RegistryAuth::Basic(name, _) if name == "AWS")
        );
        assert!(
            matches!(auth(Some(&given("me", "x"))), RegistryAuth::Basic(name, _) if name == "me")
        );
        assert!(matches!(
            auth(Some(&given("", ""))),
            RegistryAuth::Anonymous
        ));
        assert!(matches!(auth(None), RegistryAuth::Anonymous));
    }

    #[test]
    fn an_error_never_shows_the_password() {
        let echo = OciDistributionError::ServerError {
            code: 500,
            url: "https://r/v2".to_owned(),
            message: "bad s3cret in Basic bWU6czNjcmV0".to_owned(),
        };
        let text = explain(&echo, "r", Some(&given("me", "s3cret")));
        assert!(
            text.contains("***") && !text.contains("s3cret") && !text.contains("bWU6czNjcmV0"),
            "{text}"
        );
    }
}
