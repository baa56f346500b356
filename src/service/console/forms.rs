//! The console's forms as the values they stand for; what is wrong is named by its field.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::model::deployment::DeployOptions;
use crate::model::error::{Error, Result};
use crate::model::form::{ClusterForm, SettingsForm, TestForm};
use crate::model::function::{
    Environment, HttpMethod, HttpMethods, InstanceReuse, Memory, OutboundHost, SlotReuse, Timeout,
};
use crate::model::workspace::{Description, Name};
use crate::service::invocations::TestRequest;

pub(super) struct CheckedSettings {
    pub name: Name,
    pub description: Description,
    pub methods: HttpMethods,
    pub memory: Memory,
    pub timeout: Timeout,
    pub environment: Environment,
    pub hosts: Vec<OutboundHost>,
    pub reuse: InstanceReuse,
}

impl CheckedSettings {
    pub fn parse(form: &SettingsForm) -> Result<Self> {
        let number = |field: &str, text: &str, default: u32| match text.trim() {
            "" => Ok(default),
            text => text
                .parse()
                .map_err(|_| Error::validation(field, "Enter a whole number.")),
        };
        let methods: Result<Vec<_>> = form
            .methods
            .iter()
            .map(|method| HttpMethod::parse(method))
            .collect();
        let rows = form
            .environment
            .iter()
            .filter(|row| !row.name.trim().is_empty())
            .map(|row| (row.name.trim().to_owned(), row.value.clone()));
        let hosts: Result<Vec<_>> = form
            .allowed_outbound_hosts
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(OutboundHost::parse)
            .collect();
        Ok(Self {
            name: Name::parse(&form.name)?,
            description: Description::parse(&form.description)?,
            methods: HttpMethods::parse(methods?)?,
            memory: Memory::parse(number(
                "memory",
                &form.memory,
                Memory::default().megabytes(),
            )?)?,
            timeout: Timeout::parse(number(
                "timeout",
                &form.timeout,
                Timeout::default().seconds(),
            )?)?,
            environment: Environment::parse(rows.chain(parse_block(&form.environment_block)?))?,
            hosts: hosts?,
            reuse: if form.reuse == "yes" {
                let default = SlotReuse::DEFAULT;
                let field = "instanceReuse";
                InstanceReuse::PerSlot(SlotReuse::new(
                    number(field, &form.reuse_max_requests, default.max_requests())?,
                    number(field, &form.reuse_max_age, default.max_age())?,
                )?)
            } else {
                InstanceReuse::None
            },
        })
    }
}

/// The options that a form asks for; `None` when it leaves all of them to what serves.
pub(super) fn deploy_options(form: &ClusterForm) -> Result<Option<DeployOptions>> {
    if *form == ClusterForm::default() {
        return Ok(None);
    }
    let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let json = |field: &str, json: &str| match json.trim() {
        "" => Ok(None),
        json => serde_json::from_str(json).map(Some).map_err(|error| {
            Error::validation(
                field,
                format!(
                    "This is no JSON: line {}, column {}.",
                    error.line(),
                    error.column()
                ),
            )
        }),
    };
    let replicas = match form.replicas.trim() {
        "" => None,
        count => Some(
            count
                .parse()
                .map_err(|_| Error::validation("replicas", "Enter a whole number."))?,
        ),
    };
    let options = DeployOptions {
        enable_autoscaling: form.scaling != "fixed",
        replicas,
        use_spot: form.spot != "any",
        service_account: text(&form.service_account),
        cpu_limit: text(&form.cpu_limit),
        memory_limit: text(&form.memory_limit),
        cpu_request: text(&form.cpu_request),
        memory_request: text(&form.memory_request),
        custom_tolerations: json("custom_tolerations", &form.custom_tolerations)?,
        custom_affinity: json("custom_affinity", &form.custom_affinity)?,
    };
    options.checked().map(Some)
}

/// A `.env` block: `NAME=value`, `export NAME=value`, `#` comments, values optionally in quotes.
fn parse_block(block: &str) -> Result<Vec<(String, String)>> {
    let mut variables = Vec::new();
    for line in block
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or_else(|| {
            Error::validation(
                "environmentVariables",
                "Write each line of the block as NAME=value.",
            )
        })?;
        let value = value.trim();
        let unquoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
            .unwrap_or(value);
        variables.push((name.trim().to_owned(), unquoted.to_owned()));
    }
    Ok(variables)
}

/// The request that a form describes.
pub(super) fn parse_request(form: TestForm) -> Result<TestRequest> {
    let method = if form.method.trim().is_empty() {
        HttpMethod::Get
    } else {
        HttpMethod::parse(&form.method).map_err(|error| error.with_field("method"))?
    };
    Ok(TestRequest {
        method: Method::from_bytes(method.as_str().as_bytes()).unwrap_or(Method::GET),
        path: form.path,
        query: form.query,
        headers: parse_headers(&form.headers)?,
        body: Bytes::from(form.body),
    })
}

/// One header a line.
fn parse_headers(text: &str) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let wrong = || {
            Error::validation(
                "headers",
                "Write each header on a line of its own, as in accept: application/json.",
            )
        };
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        headers.append(
            HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?,
            HeaderValue::from_str(value.trim()).map_err(|_| wrong())?,
        );
    }
    Ok(headers)
}

/// Browsers send line breaks of forms as CR LF.
pub(super) fn normalized(code: String) -> String {
    if code.contains('\r') {
        code.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_for_a_cluster_is_read_whole_or_left_to_what_serves() {
        assert_eq!(deploy_options(&ClusterForm::default()), Ok(None));
        let mut form = ClusterForm {
            scaling: "fixed".to_owned(),
            replicas: " 3 ".to_owned(),
            spot: "any".to_owned(),
            custom_affinity: r#"{"nodeAffinity": {}}"#.to_owned(),
            ..ClusterForm::default()
        };
        let options = deploy_options(&form).expect("valid").expect("asked for");
        assert!(!options.enable_autoscaling && !options.use_spot);
        assert_eq!((options.replicas, options.cpu_limit), (Some(3), None));
        assert!(options.custom_affinity.is_some());
        form.custom_tolerations = "[{]".to_owned();
        let refused = deploy_options(&form).expect_err("no JSON");
        assert_eq!(refused.field.as_deref(), Some("custom_tolerations"));
    }

    #[test]
    fn a_pasted_env_block_is_read() {
        let variables =
            parse_block("# comment\nexport A=1\nB=\"two words\"\n\nC='x=y'\n").expect("readable");
        let expected = [("A", "1"), ("B", "two words"), ("C", "x=y")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables, expected);
        assert!(parse_block("no equals sign").is_err());
    }
}
