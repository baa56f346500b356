//! Where live lines and CPU figures come from.

use super::arguments::Arguments;
use super::parse;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogsEngine {
    Embedded,
    /// `LOKI_SERVICE_URL`
    Loki(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsEngine {
    Embedded,
    /// `PROMETHEUS_SERVICE_URL`
    Prometheus(String),
}

#[derive(Clone, Debug)]
pub struct ObserveSettings {
    /// `BLUE_FAAS_LOGS`
    pub logs: LogsEngine,
    /// `BLUE_FAAS_METRICS`
    pub metrics: MetricsEngine,
}

impl ObserveSettings {
    pub(super) fn from_arguments(arguments: &Arguments) -> Result<Self, String> {
        let logs = match arguments.logs.as_str() {
            "embedded" => LogsEngine::Embedded,
            "loki" => LogsEngine::Loki(address(
                "LOKI_SERVICE_URL",
                arguments.loki_service_url.as_deref(),
                "BLUE_FAAS_LOGS=loki",
            )?),
            other => {
                return Err(format!(
                    "BLUE_FAAS_LOGS: \"{other}\" is not known. Use embedded or loki."
                ));
            }
        };
        let metrics = match arguments.metrics.as_str() {
            "embedded" => MetricsEngine::Embedded,
            "prometheus" => MetricsEngine::Prometheus(address(
                "PROMETHEUS_SERVICE_URL",
                arguments.prometheus_service_url.as_deref(),
                "BLUE_FAAS_METRICS=prometheus",
            )?),
            other => {
                return Err(format!(
                    "BLUE_FAAS_METRICS: \"{other}\" is not known. Use embedded or prometheus."
                ));
            }
        };
        Ok(Self { logs, metrics })
    }
}

fn address(name: &str, url: Option<&str>, needed_by: &str) -> Result<String, String> {
    match url.filter(|url| !url.is_empty()) {
        Some(url) => parse::url(name, url),
        None => Err(format!("{name}: {needed_by} needs its address.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn read(arguments: &[&str]) -> Result<ObserveSettings, String> {
        let program = std::iter::once(&"blue-faas");
        ObserveSettings::from_arguments(&Arguments::parse_from(program.chain(arguments)))
    }

    #[test]
    fn each_is_chosen_by_itself() {
        let settings = read(&["--logs=loki", "--loki-service-url=http://loki:3100/"]).unwrap();
        let loki = LogsEngine::Loki("http://loki:3100".to_owned());
        assert_eq!(
            (settings.logs, settings.metrics),
            (loki, MetricsEngine::Embedded)
        );
    }

    #[test]
    fn a_wrong_value_is_named_with_its_variable() {
        for (arguments, variable) in [
            (&["--logs=elastic"][..], "BLUE_FAAS_LOGS"),
            (&["--metrics=influx"], "BLUE_FAAS_METRICS"),
            (&["--logs=loki"], "LOKI_SERVICE_URL"),
            (
                &["--logs=loki", "--loki-service-url=loki"],
                "LOKI_SERVICE_URL",
            ),
            (&["--metrics=prometheus"], "PROMETHEUS_SERVICE_URL"),
        ] {
            let line = read(arguments).unwrap_err();
            assert!(line.starts_with(&format!("{variable}: ")), "{line}");
        }
    }
}
