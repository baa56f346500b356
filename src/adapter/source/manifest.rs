//! `spin.toml`, version 2, as far as a function needs it. Its build command is never run.

use std::collections::BTreeMap;

use crate::port::builder::{BuildError, SpinManifest};

pub(crate) const FILE: &str = "spin.toml";
const MAX_SIZE: usize = 256 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) spin: SpinManifest,
    /// The module that the build command names, as in `app` of `componentize-py -w spin-http componentize app -o app.wasm`.
    pub(crate) module: Option<String>,
}

#[derive(serde::Deserialize)]
struct Document {
    #[serde(default)]
    spin_manifest_version: Option<toml::Value>,
    #[serde(default)]
    component: Option<toml::Value>,
}

#[derive(serde::Deserialize)]
struct Component {
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    build: Option<Build>,
}

#[derive(serde::Deserialize)]
struct Build {
    #[serde(default)]
    command: Option<Command>,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Command {
    One(String),
    Several(Vec<String>),
}

pub(crate) fn read(content: &[u8]) -> Result<Manifest, BuildError> {
    if content.len() > MAX_SIZE {
        return Err(refused(format!(
            "is larger than {} KiB; shorten it",
            MAX_SIZE / 1024
        )));
    }
    let text =
        std::str::from_utf8(content).map_err(|_| refused("is not UTF-8 text; save it as UTF-8"))?;
    let document: Document = toml::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| refused(format!("cannot be read: {}", one_line(&error))))?;
    if document.spin_manifest_version != Some(toml::Value::Integer(2)) {
        return Err(refused(
            "is not of version 2; write spin_manifest_version = 2 and [component.<name>]",
        ));
    }
    let Some(toml::Value::Table(components)) = document.component else {
        return Err(refused(
            "names no component; add a section [component.<name>]",
        ));
    };
    if components.len() > 1 {
        let names = components
            .keys()
            .take(10)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        return Err(refused(format!(
            "has several components ({names}), and a function is one; upload each component as a function of its own"
        )));
    }
    let Some((name, component)) = components.into_iter().next() else {
        return Err(refused(
            "names no component; add a section [component.<name>]",
        ));
    };
    let component: Component = component.try_into().map_err(|error| {
        refused(format!(
            "has a component \"{name}\" that cannot be read: {}",
            one_line(&error)
        ))
    })?;
    let module =
        component
            .build
            .and_then(|build| build.command)
            .and_then(|command| match command {
                Command::One(command) => componentized(&command),
                Command::Several(commands) => {
                    commands.iter().find_map(|command| componentized(command))
                }
            });
    let spin = SpinManifest {
        component: name,
        allowed_outbound_hosts: component.allowed_outbound_hosts,
        environment: component.environment,
    };
    Ok(Manifest { spin, module })
}

fn refused(what: impl std::fmt::Display) -> BuildError {
    BuildError::Source {
        message: format!("{FILE} {what}."),
        diagnostics: Vec::new(),
    }
}

fn one_line(error: &toml::de::Error) -> String {
    error
        .message()
        .lines()
        .next()
        .unwrap_or("it is not TOML")
        .chars()
        .take(200)
        .collect()
}

/// The word after `componentize`, when it is the name of a module.
fn componentized(command: &str) -> Option<String> {
    let mut words = command
        .split_whitespace()
        .skip_while(|word| *word != "componentize")
        .skip(1);
    let module = words.find(|word| !word.starts_with('-'))?;
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c == '_' || c.is_alphanumeric());
    module.split('.').all(is_name).then(|| module.to_owned())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn name_hosts_environment_and_entry_are_read() {
        let manifest = read(
            br#"
            spin_manifest_version = 2
            [application]
            name = "shop"
            [[trigger.http]]
            route = "/..."
            component = "cart"
            [component.cart]
            source = "app.wasm"
            allowed_outbound_hosts = ["https://api.example.com"]
            environment = { MODE = "test" }
            [component.cart.build]
            command = "componentize-py -w spin-http componentize src.main -o app.wasm"
            "#,
        )
        .expect("sound");
        assert_eq!(manifest.spin.component, "cart");
        assert_eq!(
            manifest.spin.allowed_outbound_hosts,
            ["https://api.example.com"]
        );
        assert_eq!(
            manifest.spin.environment.get("MODE").map(String::as_str),
            Some("test")
        );
        assert_eq!(manifest.module.as_deref(), Some("src.main"));
    }

    #[test]
    fn a_build_command_is_only_a_hint() {
        for command in [
            "rm -rf /",
            "componentize-py componentize ../../etc/passwd",
            "componentize-py componentize -p x",
        ] {
            let text =
                format!("spin_manifest_version = 2\n[component.a.build]\ncommand = \"{command}\"");
            assert!(
                read(text.as_bytes())
                    .expect("sound")
                    .module
                    .is_none_or(|module| module == "x"),
                "{command}"
            );
        }
    }

    #[test]
    fn what_is_not_one_component_is_refused_with_the_reason() {
        for (text, reason) in [
            (
                "spin_manifest_version = 2\n[component.a]\n[component.b]\n",
                "several components (a, b)",
            ),
            ("spin_manifest_version = 2\n", "names no component"),
            (
                "spin_manifest_version = 2\n[component]\n",
                "names no component",
            ),
            (
                "spin_manifest_version = \"1\"\n[[component]]\nid = \"a\"\n",
                "version 2",
            ),
            ("a = ", "cannot be read"),
            (
                "spin_manifest_version = 2\n[component.a]\nenvironment = 1\n",
                "\"a\" that cannot be read",
            ),
        ] {
            let error = read(text.as_bytes()).expect_err(text).to_string();
            assert!(
                error.starts_with("spin.toml ") && error.contains(reason),
                "{error}"
            );
        }
    }
}
