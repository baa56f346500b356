//! `spin.toml` of a function.

use serde::Serialize;
use std::collections::BTreeMap;

use crate::model::deployment::AppName;
use crate::model::error::Result;
use crate::model::workspace::Description;
use crate::service::functions::FunctionRecord;
use crate::service::table::internal;

pub(super) const FILE: &str = "spin.toml";
/// Where Spin looks for the component.
pub(super) const COMPONENT: &str = "app.wasm";

#[derive(Serialize)]
struct Document<'a> {
    spin_manifest_version: u32,
    application: Application<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<String, Variable<'a>>,
    trigger: Trigger<'a>,
    component: BTreeMap<&'a str, Component<'a>>,
}

#[derive(Serialize)]
struct Application<'a> {
    name: &'a str,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Variable<'a> {
    Known { default: &'a str },
    Wanted { required: bool },
}

#[derive(Serialize)]
struct Trigger<'a> {
    http: [Route<'a>; 1],
}

#[derive(Serialize)]
struct Route<'a> {
    route: &'static str,
    component: &'a str,
}

#[derive(Serialize)]
struct Component<'a> {
    source: &'static str,
    allowed_outbound_hosts: Vec<String>,
    /// A function here has it without asking.
    key_value_stores: [&'static str; 1],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<String, String>,
    build: Build<'a>,
}

#[derive(Serialize)]
struct Build<'a> {
    command: &'a str,
    watch: [&'static str; 2],
}

/// With `values` the environment stands in it; else Spin asks for each value under the variable's name.
pub(super) fn text(
    record: &FunctionRecord,
    app: &AppName,
    command: &str,
    values: bool,
) -> Result<String> {
    let id = component_id(app);
    let named = record.environment_variables.spin_variables();
    let variable = |value| {
        if values {
            Variable::Known { default: value }
        } else {
            Variable::Wanted { required: true }
        }
    };
    let component = Component {
        source: COMPONENT,
        allowed_outbound_hosts: record
            .allowed_outbound_hosts
            .iter()
            .map(ToString::to_string)
            .collect(),
        key_value_stores: ["default"],
        environment: if values {
            record.environment_variables.iter().collect()
        } else {
            BTreeMap::new()
        },
        variables: named
            .keys()
            .map(|name| (name.clone(), format!("{{{{ {name} }}}}")))
            .collect(),
        build: Build {
            command,
            watch: ["**/*.py", "requirements.txt"],
        },
    };
    let document = Document {
        spin_manifest_version: 2,
        application: Application {
            name: app.as_str(),
            version: "0.1.0",
            description: record.description.as_ref().map(Description::as_str),
        },
        variables: named
            .iter()
            .map(|(name, value)| (name.clone(), variable(*value)))
            .collect(),
        trigger: Trigger {
            http: [Route {
                route: "/...",
                component: &id,
            }],
        },
        component: BTreeMap::from([(id.as_str(), component)]),
    };
    toml::to_string_pretty(&document).map_err(|cause| internal("EXPORT_ERROR", cause))
}

/// Words of letters and digits that begin with a letter, a hyphen between.
fn component_id(app: &AppName) -> String {
    let mut id = String::new();
    for word in app.as_str().split('-').filter(|word| !word.is_empty()) {
        let begins = word.starts_with(|c: char| c.is_ascii_alphabetic());
        if id.is_empty() && !begins {
            id.push_str("fn");
        } else if !id.is_empty() && begins {
            id.push('-');
        }
        id.push_str(word);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::component_id;
    use crate::model::deployment::AppName;

    #[test]
    fn a_component_has_an_id_that_spin_accepts() {
        for (app, id) in [
            ("shop", "shop"),
            ("my-shop", "my-shop"),
            ("shop-2", "shop2"),
            ("2fa-login", "fn2fa-login"),
            ("a--b", "a-b"),
        ] {
            let app = AppName::parse(app).expect("an app name");
            assert_eq!(component_id(&app), id);
        }
    }
}
