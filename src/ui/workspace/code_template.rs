//! What a new function can start from.

use crate::ui::i18n::functions::FunctionsMessages;

/// A source to start from: `?template=` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeTemplate {
    #[default]
    Hello,
    JsonApi,
    Echo,
    HttpCall,
    Form,
    Job,
}

impl CodeTemplate {
    pub const ALL: [Self; 6] = [
        Self::Hello,
        Self::JsonApi,
        Self::Echo,
        Self::HttpCall,
        Self::Form,
        Self::Job,
    ];

    /// Its name in an address.
    pub fn key(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::JsonApi => "json_api",
            Self::Echo => "echo",
            Self::HttpCall => "http_call",
            Self::Form => "form",
            Self::Job => "job",
        }
    }

    /// The first one for a name that there is not.
    pub fn from_key(key: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|template| template.key() == key)
            .unwrap_or_default()
    }

    /// Python for the Spin SDK.
    pub fn source(self) -> &'static str {
        match self {
            Self::Hello => include_str!("templates/hello.py"),
            Self::JsonApi => include_str!("templates/json_api.py"),
            Self::Echo => include_str!("templates/echo.py"),
            Self::HttpCall => include_str!("templates/http_call.py"),
            Self::Form => include_str!("templates/form.py"),
            Self::Job => include_str!("templates/job.py"),
        }
    }

    /// Hosts that its source calls.
    pub fn outbound_hosts(self) -> &'static str {
        match self {
            Self::HttpCall => "https://example.com",
            Self::Hello | Self::JsonApi | Self::Echo | Self::Form | Self::Job => "",
        }
    }

    /// Name and what it shows.
    pub fn words(self, words: &FunctionsMessages) -> (&'static str, &'static str) {
        match self {
            Self::Hello => words.hello,
            Self::JsonApi => words.json_api,
            Self::Echo => words.echo,
            Self::HttpCall => words.http_call,
            Self::Form => words.form,
            Self::Job => words.job,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CodeTemplate;
    use crate::model::function::OutboundHost;

    #[test]
    fn a_template_is_found_by_its_name() {
        for template in CodeTemplate::ALL {
            assert_eq!(CodeTemplate::from_key(template.key()), template);
        }
        assert_eq!(CodeTemplate::from_key("nonsense"), CodeTemplate::Hello);
    }

    #[test]
    fn every_template_has_the_handler() {
        for template in CodeTemplate::ALL {
            assert!(
                template
                    .source()
                    .contains("class IncomingHandler(BaseHandler):"),
                "{template:?}"
            );
        }
    }

    #[test]
    fn the_hosts_a_template_calls_are_valid() {
        for host in CodeTemplate::ALL
            .into_iter()
            .flat_map(|template| template.outbound_hosts().lines())
        {
            assert!(OutboundHost::parse(host).is_ok(), "{host}");
        }
    }
}
